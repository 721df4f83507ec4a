use std::net::{IpAddr, Ipv6Addr, UdpSocket};

/// Tells which addresses this machine can send to, by its table of routes. Nothing is sent.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// `None` inside is a machine without IPv6.
    v6: Option<Option<UdpSocket>>,
}

/// The port for discarding; it makes no difference to a route.
const ANY_PORT: u16 = 9;

impl Routes {
    /// Whether an instance can be at this address: it names one host, and if it is an IPv6 address, there is a route to it.
    pub(super) fn reach(&mut self, ip: IpAddr) -> bool {
        if ip.is_unspecified() || ip.is_multicast() {
            return false;
        }
        match ip {
            IpAddr::V4(v4) => !v4.is_broadcast(),
            IpAddr::V6(v6) => {
                let open = || UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)).ok();
                let socket = self.v6.get_or_insert_with(open);
                // For a datagram, connecting only looks the route up.
                let routed = |socket: &UdpSocket| socket.connect((v6, ANY_PORT)).is_ok();
                socket.as_ref().is_some_and(routed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_host_is_left_out() {
        let mut routes = Routes::default();
        for ip in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
            assert!(!routes.reach(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["127.0.0.1", "10.0.0.1", "192.0.2.1"] {
            assert!(routes.reach(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn an_ipv6_address_without_a_route_is_left_out() {
        let mut routes = Routes::default();
        let loopback = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
        assert_eq!(routes.reach(Ipv6Addr::LOCALHOST.into()), loopback);
        // A link-local address says nothing without the interface.
        assert!(!routes.reach("fe80::1".parse().unwrap()));
        assert_eq!(routes.reach(Ipv6Addr::LOCALHOST.into()), loopback);
    }
}
