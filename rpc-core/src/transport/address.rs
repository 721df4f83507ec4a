use std::{fmt, path::PathBuf, str::FromStr, sync::Arc};

use thiserror::Error;

/// Where a server listens or a peer comes from: `tcp://host:port`, `unix:///path`, `memory://name`; and where a server is
/// called that speaks MessagePack-RPC only: `doge://host:port`, `msgpack-rpc://host:port`.
///
/// ```
/// use doge_rpc_core::transport::Address;
///
/// let address: Address = "tcp://[::1]:4399".parse()?;
/// assert_eq!(address.to_string(), "tcp://[::1]:4399");
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// `host:port`; the host is a name, an IPv4 address, or an IPv6 address in brackets.
    Tcp(Arc<str>),
    /// A socket in the file system.
    Unix(Arc<PathBuf>),
    /// A listener of this process, by name.
    Memory(Arc<str>),
    /// `host:port` of a server that speaks MessagePack-RPC as Python doge does, with a map of metadata in front of the
    /// params. Servers listen at [`Tcp`](Self::Tcp), and understand both dialects there.
    Doge(Arc<str>),
    /// `host:port` of a server that speaks MessagePack-RPC without that map, such as one of mprpc.
    MsgpackRpc(Arc<str>),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No scheme, or an unknown one.
    #[error(
        "address {0:?}: write tcp://host:port, unix:///path or memory://name, and to call Python doge doge://host:port, or any other server of MessagePack-RPC msgpack-rpc://host:port"
    )]
    Scheme(String),
    /// No port, or no number that can be one.
    #[error(
        "address {0:?}: an address with a host ends in a port from 0 to 65535, as in tcp://127.0.0.1:4399 or tcp://[::1]:4399"
    )]
    Port(String),
    /// Nothing after the scheme.
    #[error("address {0:?}: nothing stands after the scheme")]
    Empty(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or_else(|| AddressError::Scheme(text.to_owned()))?;
        let make: fn(&str) -> Self = match scheme {
            "tcp" => |rest| Self::Tcp(rest.into()),
            "doge" => |rest| Self::Doge(rest.into()),
            "msgpack-rpc" => |rest| Self::MsgpackRpc(rest.into()),
            "unix" => |rest| Self::Unix(Arc::new(rest.into())),
            "memory" => |rest| Self::Memory(rest.into()),
            _ => return Err(AddressError::Scheme(text.to_owned())),
        };
        if rest.is_empty() {
            return Err(AddressError::Empty(text.to_owned()));
        }
        if !matches!(scheme, "unix" | "memory") && !is_host_and_port(rest) {
            return Err(AddressError::Port(text.to_owned()));
        }
        Ok(make(rest))
    }
}

/// Whether this is `host:port`, the host a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let bare_ipv6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    !host.is_empty() && !bare_ipv6 && port.parse::<u16>().is_ok()
}

/// What can be used as an address: an [`Address`], or a text that is one.
pub trait IntoAddress {
    /// The address.
    ///
    /// # Errors
    ///
    /// When a text is no address.
    fn into_address(self) -> Result<Address, AddressError>;
}

impl IntoAddress for Address {
    fn into_address(self) -> Result<Address, AddressError> {
        Ok(self)
    }
}

impl IntoAddress for &Address {
    fn into_address(self) -> Result<Address, AddressError> {
        Ok(self.clone())
    }
}

impl IntoAddress for &str {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}

impl IntoAddress for &String {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}

impl IntoAddress for String {
    fn into_address(self) -> Result<Address, AddressError> {
        self.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(rest) => write!(f, "tcp://{rest}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Memory(name) => write!(f, "memory://{name}"),
            Self::Doge(rest) => write!(f, "doge://{rest}"),
            Self::MsgpackRpc(rest) => write!(f, "msgpack-rpc://{rest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, AddressError};

    #[test]
    fn addresses_round_trip() {
        for text in [
            "tcp://127.0.0.1:0",
            "tcp://[::1]:4399",
            "tcp://employee.hr:80",
            "unix:///run/x.sock",
            "memory://a",
            "doge://10.0.0.1:4399",
            "msgpack-rpc://[::1]:4399",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn mistakes_are_named() {
        let scheme = |text: &str| AddressError::Scheme(text.to_owned());
        let port = |text: &str| AddressError::Port(text.to_owned());
        for (text, error) in [
            ("127.0.0.1:80", scheme("127.0.0.1:80")),
            ("http://a:80", scheme("http://a:80")),
            ("tcp://a", port("tcp://a")),
            ("tcp://a:65536", port("tcp://a:65536")),
            ("tcp://:80", port("tcp://:80")),
            ("tcp://::1:80", port("tcp://::1:80")),
            ("doge://a", port("doge://a")),
            ("msgpack-rpc://::1:80", port("msgpack-rpc://::1:80")),
            ("tcp://", AddressError::Empty("tcp://".to_owned())),
            ("doge://", AddressError::Empty("doge://".to_owned())),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error));
        }
    }
}
