use std::fmt;

use doge_base::HostPort;

use crate::RegistryError;

/// The port that etcd serves its clients at unless told otherwise.
const USUAL_PORT: u16 = 2379;

/// Where one member of etcd serves its clients: `host:port`, and whether with TLS if that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    authority: HostPort,
    tls: Option<bool>,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `[ipv6]:port`, or the same after `http://` or `https://`.
    pub(crate) fn parse(text: &str) -> Result<Self, RegistryError> {
        let invalid = |mend| RegistryError::InvalidSetting {
            setting: "endpoint",
            value: text.to_owned(),
            mend,
        };
        let (tls, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("http", rest)) => (Some(false), rest),
            Some(("https", rest)) => (Some(true), rest),
            Some(_) => {
                return Err(invalid(
                    "only http:// and https:// may stand before the host",
                ));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority = authority(rest).ok_or_else(|| {
            invalid("give a host and a port, such as 10.0.0.1:2379, etcd-1:2379 or [::1]:2379")
        })?;
        Ok(Self { authority, tls })
    }

    /// Whether TLS is asked for or refused by the endpoint itself.
    pub(crate) fn tls(&self) -> Option<bool> {
        self.tls
    }

    /// As `etcd-client` takes it.
    #[cfg(feature = "etcd")]
    pub(crate) fn url(&self, tls: bool) -> String {
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.authority.fmt(formatter)
    }
}

/// The host and the port of a text that may lack the port.
fn authority(text: &str) -> Option<HostPort> {
    let with_port = text.parse::<HostPort>();
    let place = with_port.or_else(|_| format!("{text}:{USUAL_PORT}").parse());
    place.ok().filter(|place| place.port() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_with_and_without_port_and_scheme_are_read() {
        for (text, authority) in [
            ("etcd-1", "etcd-1:2379"),
            ("10.0.0.1:4001", "10.0.0.1:4001"),
            ("http://a.b:1/", "a.b:1"),
            ("[::1]", "[::1]:2379"),
            ("[fe80::1]:1", "[fe80::1]:1"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), authority);
        }
        assert_eq!(Endpoint::parse("https://a").unwrap().tls(), Some(true));
        assert_eq!(Endpoint::parse("http://a").unwrap().tls(), Some(false));
        assert_eq!(Endpoint::parse("a").unwrap().tls(), None);
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in [
            "", ":1", "a:", "a:x", "a:0", "a:65536", "::1", "[::1", "a/b", "ftp://a", "a b", "u@a",
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains("endpoint"), "{error}");
        }
    }
}
