use std::net::{IpAddr, SocketAddr, UdpSocket};

use doge_rpc_core::transport::Address;

/// Whether an address is one of this machine: a Unix socket, a listener of this process, or an IP that a socket can
/// be bound to. A host name other than `localhost` is not looked up, and counts as elsewhere.
pub(super) fn is_on_this_machine(address: &Address) -> bool {
    match address {
        Address::Unix(_) | Address::Memory(_) => true,
        Address::Tcp(address) | Address::Doge(address) | Address::MsgpackRpc(address) => {
            let host = address
                .rsplit_once(':')
                .map_or(&**address, |(host, _)| host);
            host == "localhost" || ip(host).is_some_and(can_be_bound)
        }
        _ => false,
    }
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Only the system knows all of its addresses, and it lets a socket be bound to no others.
fn can_be_bound(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind(SocketAddr::new(ip, 0)).is_ok()
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
