use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use thiserror::Error;

/// A host and a port: `employee.hr:4399`, `10.0.0.1:4399`, `[::1]:4399`.
///
/// ```
/// use doge_base::HostPort;
///
/// let place: HostPort = "[::1]:4399".parse()?;
/// assert_eq!((place.host(), place.port()), ("::1", 4399));
/// assert_eq!(place.to_string(), "[::1]:4399");
/// # Ok::<(), doge_base::HostPortError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPort {
    host: Arc<str>,
    port: u16,
}

/// A text that is no host and port.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{text:?} is no host and port: write a name, an IPv4 address or an IPv6 address in brackets, a colon, and a port \
     from 0 to 65535, as in 127.0.0.1:4399, employee.hr:4399 or [::1]:4399"
)]
pub struct HostPortError {
    text: String,
}

impl HostPort {
    /// The host: a name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The same host with another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Self {
            host: Arc::clone(&self.host),
            port,
        }
    }

    /// The IP address, if the host is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether nobody can connect there: the host stands for every address of a machine, or there is no port.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.port == 0 || self.ip().is_some_and(|ip| ip.is_unspecified())
    }

    /// Whether the host is this machine by its own name: `localhost`, or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        &*self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            Some(Self {
                host: host_of(host)?.into(),
                port: port_of(port)?,
            })
        });
        parsed.ok_or_else(|| HostPortError {
            text: text.to_owned(),
        })
    }
}

/// A port is digits: what else a number may be written as, such as `+80`, is none.
fn port_of(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The host without brackets. An IPv6 address may have a zone, as in `fe80::1%eth0`.
fn host_of(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('[') {
        let inner = rest.strip_suffix(']')?;
        let (ip, zone) = inner.split_once('%').unwrap_or((inner, "0"));
        let is_ip = ip.parse::<std::net::Ipv6Addr>().is_ok();
        return (is_ip && !zone.is_empty() && zone.bytes().all(is_of_name)).then_some(inner);
    }
    (!text.is_empty() && text.bytes().all(is_of_name)).then_some(text)
}

/// Names of hosts have letters, digits, dots and hyphens; names that operators give to containers have underscores. What
/// is not ASCII is for whoever looks names up.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') || !byte.is_ascii()
}

impl From<SocketAddr> for HostPort {
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
            other => other.ip().to_string(),
        };
        Self {
            host: host.into(),
            port: address.port(),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]:{port}")
        } else {
            write!(f, "{host}:{port}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostPort;

    #[test]
    fn hosts_and_ports_round_trip() {
        for (text, host, port) in [
            ("10.0.0.1:4399", "10.0.0.1", 4399),
            ("employee.hr:80", "employee.hr", 80),
            ("a_b-c:0", "a_b-c", 0),
            ("bücher.example:1", "bücher.example", 1),
            ("[::1]:65535", "::1", 65535),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ] {
            let parsed: HostPort = text.parse().unwrap();
            assert_eq!((parsed.host(), parsed.port()), (host, port));
            assert_eq!(parsed.to_string(), text);
        }
        for address in ["[fe80::1%3]:7", "[::1]:7", "127.0.0.1:7"] {
            let parsed: std::net::SocketAddr = address.parse().unwrap();
            assert_eq!(HostPort::from(parsed).to_string(), address);
        }
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in [
            "",
            "host",
            ":1",
            "host:",
            "host:65536",
            "host:+1",
            "host:x",
            "::1:4399",
            "[::1]",
            "[x]:1",
            "[::1%]:1",
            "a b:1",
            "a\n:1",
            "a/b:1",
            "u@a:1",
            "[a:1",
            "a]:1",
            "a?b:1",
        ] {
            let error = text.parse::<HostPort>().unwrap_err().to_string();
            assert!(error.contains("as in 127.0.0.1:4399"), "{error}");
        }
    }

    #[test]
    fn who_can_be_connected_to_is_known() {
        let of = |text: &str| text.parse::<HostPort>().unwrap();
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:0", "a:0"] {
            assert!(of(text).is_unspecified(), "{text}");
        }
        assert!(!of("10.0.0.1:1").is_unspecified());
        assert!(!of("[::]:1").is_loopback());
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            assert!(of(text).is_loopback(), "{text}");
        }
    }
}
