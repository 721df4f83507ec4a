use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use thiserror::Error;

use crate::{HostPort, HostPortError};

/// Where a server listens or a peer comes from, and what is spoken there: a [location](Location) and a
/// [dialect](Dialect).
///
/// | text | location | dialect |
/// |---|---|---|
/// | `tcp://host:port` | TCP | native |
/// | `unix:///path` | a Unix socket | native |
/// | `memory://name` | a listener of this process | native |
/// | `doge://host:port` | TCP | MessagePack-RPC with a meta map, as Python doge speaks it |
/// | `msgpack-rpc://host:port` | TCP | MessagePack-RPC without that map |
///
/// `doge+unix:///path`, `msgpack-rpc+memory://name` and so on name the other combinations. A server understands all
/// dialects where it listens, and so listens at `tcp://`, `unix://` or `memory://`.
///
/// ```
/// use doge_base::{Address, Dialect, Location};
///
/// let address: Address = "doge://[::1]:4399".parse()?;
/// assert_eq!(address.dialect(), Dialect::Doge);
/// assert!(matches!(address.location(), Location::Tcp(place) if place.port() == 4399));
/// assert_eq!(address.to_string(), "doge://[::1]:4399");
/// # Ok::<(), doge_base::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    location: Location,
    dialect: Dialect,
}

/// The place of an address, whatever is spoken there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Location {
    /// A host and a port.
    Tcp(HostPort),
    /// A socket in the file system.
    Unix(Arc<Path>),
    /// A listener of this process, by name.
    Memory(Arc<str>),
}

/// What is spoken at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// The framed protocol of this framework.
    Native,
    /// MessagePack-RPC with a map of metadata in front of the params, as Python doge speaks it.
    Doge,
    /// MessagePack-RPC without that map, as of mprpc.
    MsgpackRpc,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No scheme.
    #[error("address {0:?} has no scheme: write {FORMS}")]
    NoScheme(String),
    /// A scheme that this version does not know.
    #[error("address {text:?}: the scheme {scheme:?} is unknown here: write {FORMS}")]
    UnknownScheme {
        /// The whole text.
        text: String,
        /// The scheme.
        scheme: String,
    },
    /// What follows the scheme is no host and port.
    #[error("address {text:?}: {source}")]
    HostPort {
        /// The whole text.
        text: String,
        /// What is wrong.
        source: HostPortError,
    },
    /// Nothing after the scheme.
    #[error("address {0:?}: nothing stands after the scheme")]
    Empty(String),
}

const FORMS: &str = "tcp://host:port, unix:///path or memory://name, and to call Python doge doge://host:port, or any \
                     other server of MessagePack-RPC msgpack-rpc://host:port";

const ALL_DIALECTS: [Dialect; 3] = [Dialect::Native, Dialect::Doge, Dialect::MsgpackRpc];

impl Dialect {
    /// The name: `native`, `doge` or `msgpack-rpc`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Doge => "doge",
            Self::MsgpackRpc => "msgpack-rpc",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Location {
    /// Whether it is on this machine for certain: a Unix socket, a listener of this process, or loopback.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(place) => place.is_loopback(),
            Self::Unix(_) | Self::Memory(_) => true,
        }
    }

    /// Whether nobody elsewhere can connect to it: every address of a machine, or no port.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        matches!(self, Self::Tcp(place) if place.is_unspecified())
    }

    fn scheme(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Unix(_) => "unix",
            Self::Memory(_) => "memory",
        }
    }

    fn fmt_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(place) => fmt::Display::fmt(place, f),
            Self::Unix(path) => fmt::Display::fmt(&path.display(), f),
            Self::Memory(name) => f.write_str(name),
        }
    }

    fn parse(scheme: &str, rest: &str, text: &str) -> Result<Self, AddressError> {
        let location: fn(&str) -> Result<Self, HostPortError> = match scheme {
            "tcp" => |rest| rest.parse().map(Self::Tcp),
            "unix" => |rest| Ok(Self::Unix(Path::new(rest).into())),
            "memory" => |rest| Ok(Self::Memory(rest.into())),
            _ => {
                return Err(AddressError::UnknownScheme {
                    text: text.to_owned(),
                    scheme: text[..text.len() - rest.len() - SEPARATOR.len()].to_owned(),
                });
            }
        };
        if rest.is_empty() {
            return Err(AddressError::Empty(text.to_owned()));
        }
        location(rest).map_err(|source| AddressError::HostPort {
            text: text.to_owned(),
            source,
        })
    }
}

/// What stands after the scheme.
const SEPARATOR: &str = "://";

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SEPARATOR}", self.scheme())?;
        self.fmt_rest(f)
    }
}

impl Address {
    /// The native dialect at a location.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self {
            location,
            dialect: Dialect::Native,
        }
    }

    /// `tcp://host:port`.
    #[must_use]
    pub fn tcp(place: impl Into<HostPort>) -> Self {
        Self::new(Location::Tcp(place.into()))
    }

    /// `unix:///path`.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::new(Location::Unix(path.into().into()))
    }

    /// `memory://name`.
    #[must_use]
    pub fn memory(name: impl Into<Arc<str>>) -> Self {
        Self::new(Location::Memory(name.into()))
    }

    /// The address that an instance is registered at. Python doge registers `host:port` alone, so a text without a scheme
    /// is read as `doge://`.
    ///
    /// ```
    /// use doge_base::{Address, Dialect};
    ///
    /// let python = Address::of_instance("10.0.0.1:4399")?;
    /// assert_eq!(python.to_string(), "doge://10.0.0.1:4399");
    /// assert_eq!(Address::of_instance("tcp://10.0.0.1:4399")?.dialect(), Dialect::Native);
    /// # Ok::<(), doge_base::AddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`AddressError`], if the text is neither.
    pub fn of_instance(text: &str) -> Result<Self, AddressError> {
        if text.contains(SEPARATOR) {
            return text.parse();
        }
        let place: HostPort = text
            .parse()
            .map_err(|_| AddressError::NoScheme(text.to_owned()))?;
        Ok(Self::tcp(place).with_dialect(Dialect::Doge))
    }

    /// The same location with another dialect.
    #[must_use]
    pub fn with_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The same dialect at another location.
    #[must_use]
    pub fn with_location(self, location: Location) -> Self {
        Self { location, ..self }
    }

    /// Where it is.
    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// What is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text
            .split_once(SEPARATOR)
            .ok_or_else(|| AddressError::NoScheme(text.to_owned()))?;
        let dialect_of = |name: &str| {
            let foreign = &ALL_DIALECTS[1..];
            foreign.iter().copied().find(|it| it.name() == name)
        };
        let (dialect, transport) = match scheme.split_once('+') {
            Some((dialect, transport)) => (dialect_of(dialect), transport),
            None => match dialect_of(scheme) {
                Some(dialect) => (Some(dialect), "tcp"),
                None => (Some(Dialect::Native), scheme),
            },
        };
        // A dialect that is unknown makes the scheme unknown, whatever the transport.
        let transport = dialect.map_or("", |_| transport);
        let location = Location::parse(transport, rest, text)?;
        Ok(Self::new(location).with_dialect(dialect.unwrap_or(Dialect::Native)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.dialect, &self.location) {
            (Dialect::Native, location) => return fmt::Display::fmt(location, f),
            (dialect, Location::Tcp(_)) => write!(f, "{dialect}{SEPARATOR}")?,
            (dialect, location) => write!(f, "{dialect}+{}{SEPARATOR}", location.scheme())?,
        }
        self.location.fmt_rest(f)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::tcp(address)
    }
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

#[cfg(test)]
mod tests {
    use super::{Address, AddressError, Dialect, Location};

    #[test]
    fn addresses_round_trip() {
        for (text, dialect) in [
            ("tcp://127.0.0.1:0", Dialect::Native),
            ("tcp://[::1]:4399", Dialect::Native),
            ("tcp://employee.hr:80", Dialect::Native),
            ("unix:///run/x.sock", Dialect::Native),
            ("memory://a", Dialect::Native),
            ("doge://10.0.0.1:4399", Dialect::Doge),
            ("doge+unix:///run/x.sock", Dialect::Doge),
            ("msgpack-rpc://[::1]:4399", Dialect::MsgpackRpc),
            ("msgpack-rpc+memory://a", Dialect::MsgpackRpc),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.to_string().as_str(), address.dialect()),
                (text, dialect)
            );
        }
        assert_eq!("doge+tcp://a:1".parse(), "doge://a:1".parse::<Address>());
    }

    #[test]
    fn mistakes_are_named() {
        let text = |text: &str| text.parse::<Address>().unwrap_err().to_string();
        for (wrong, named) in [
            ("127.0.0.1:80", "has no scheme"),
            ("http://a:80", "the scheme \"http\" is unknown here"),
            ("tls://a:80", "the scheme \"tls\" is unknown here"),
            ("doge+tls://a:80", "the scheme \"doge+tls\" is unknown here"),
            ("x+tcp://a:80", "the scheme \"x+tcp\" is unknown here"),
            (
                "native+tcp://a:80",
                "the scheme \"native+tcp\" is unknown here",
            ),
            ("://a:80", "the scheme \"\" is unknown here"),
            ("tcp://a", "\"a\" is no host and port"),
            ("tcp://a:65536", "\"a:65536\" is no host and port"),
            ("tcp://::1:80", "\"::1:80\" is no host and port"),
            ("doge://a", "\"a\" is no host and port"),
            ("tcp://", "nothing stands after the scheme"),
            ("memory://", "nothing stands after the scheme"),
        ] {
            let error = text(wrong);
            assert!(
                error.contains(named) && error.contains(wrong),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn an_instance_without_a_scheme_is_one_of_python_doge() {
        let of = |text: &str| Address::of_instance(text).map(|it| it.to_string());
        assert_eq!(of("10.0.0.1:4399").as_deref(), Ok("doge://10.0.0.1:4399"));
        assert_eq!(of("[::1]:4399").as_deref(), Ok("doge://[::1]:4399"));
        assert_eq!(of("tcp://a:1").as_deref(), Ok("tcp://a:1"));
        assert_eq!(of("unix:///run/x").as_deref(), Ok("unix:///run/x"));
        let nonsense = AddressError::NoScheme("nonsense".to_owned());
        assert_eq!(of("nonsense"), Err(nonsense));
    }

    #[test]
    fn what_is_here_for_certain_is_known() {
        let local = |text: &str| text.parse::<Address>().unwrap().location().is_local();
        for text in [
            "unix:///run/x",
            "memory://x",
            "tcp://localhost:1",
            "doge://127.0.0.1:1",
        ] {
            assert!(local(text), "{text}");
        }
        assert!(!local("tcp://10.0.0.1:1"));
        assert!(Location::Tcp("0.0.0.0:1".parse().unwrap()).is_unspecified());
    }
}
