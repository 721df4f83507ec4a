use std::net::Ipv6Addr;

/// Whether this is `host:port`, with an IPv6 host in brackets, and a port that can be connected to.
pub(crate) fn is_host_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let is_host = match host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && !host.contains([':', '[', ']', '/'])
                && !host.contains(|found: char| found.is_whitespace() || found.is_control())
        }
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_a_port() {
        for good in ["10.0.0.1:4399", "host:1", "[::1]:4399", "a.b-c_d:65535"] {
            assert!(is_host_port(good), "{good:?} was refused");
        }
        for bad in [
            "",
            "host",
            ":1",
            "host:",
            "host:0",
            "host:65536",
            "host:x",
            "::1:4399",
            "[::1]",
            "[x]:1",
            "a b:1",
            "a\n:1",
            "a/b:1",
            "[a:1",
            "a]:1",
        ] {
            assert!(!is_host_port(bad), "{bad:?} passed");
        }
    }
}
