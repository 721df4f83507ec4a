use std::net::{IpAddr, SocketAddr, UdpSocket};

use doge_rpc_core::transport::{Address, Location};

/// Whether an address is one of this machine: a Unix socket, a listener of this process, or an IP that a socket can
/// be bound to. A host name other than `localhost` is not looked up, and counts as elsewhere.
pub(super) fn is_on_this_machine(address: &Address) -> bool {
    let location = address.location();
    let ip = match location {
        Location::Tcp(place) => place.ip(),
        _ => None,
    };
    location.is_local() || ip.is_some_and(can_be_bound)
}

/// Only the system knows all of its addresses, and it lets a socket be bound to no others.
fn can_be_bound(ip: IpAddr) -> bool {
    UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_on_this_machine;

    #[test]
    fn what_can_be_bound_is_here() {
        let here = |address: &str| is_on_this_machine(&address.parse().unwrap());
        assert!(here("tcp://127.0.0.1:1"));
        assert!(here("tcp://[::1]:1"));
        assert!(here("tcp://localhost:1"));
        assert!(here("unix:///run/hr.sock"));
        // Set aside for documentation, so nobody has it.
        assert!(!here("tcp://192.0.2.1:1"));
        assert!(!here("tcp://elsewhere:1"));
    }
}
