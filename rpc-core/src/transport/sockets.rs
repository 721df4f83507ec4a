use std::{fmt, future::Future, io, time::Duration};

use futures_util::future::BoxFuture;

use super::{Listener, Location, Stream, Transport, memory, tcp, unix};

/// TCP and Unix sockets of the system, and [pipes inside the process](memory).
///
/// The addresses of a name are tried as RFC 8305 ("happy eyeballs") has it: IPv6 and IPv4 in turn, the next one when the
/// one before has failed or has taken 250 ms, less where the time would not be enough for all; the first to connect wins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sockets;

impl Transport for Sockets {
    fn connect<'a>(
        &'a self,
        to: &'a Location,
        within: Duration,
    ) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            match to {
                Location::Tcp(place) => tcp::connect(place, within).await,
                Location::Unix(path) => unix::connect(path).await,
                Location::Memory(name) => memory::connect(name).await,
                other => Err(unsupported(other)),
            }
        })
    }

    fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>> {
        Box::pin(async move {
            match at {
                Location::Tcp(place) => tcp::listen(place).await,
                Location::Unix(path) => unix::listen(path).await,
                Location::Memory(name) => memory::listen(name),
                other => Err(unsupported(other)),
            }
        })
    }
}

fn unsupported(location: &Location) -> io::Error {
    let why = format!("there are no sockets for {location}");
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// A [`Transport`] that connects with a function: over a proxy, or over a stream that stands already. Servers cannot
/// listen with it.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_core::transport::{Location, Stream, connector};
/// use tokio::net::TcpStream;
///
/// let over_proxy = connector(|to: Location, _within: Duration| async move {
///     let proxy = TcpStream::connect("10.0.0.1:3128").await?;
///     // Here the proxy is told where to connect to.
///     Stream::tcp(proxy)
/// });
/// ```
pub fn connector<F, S>(connect: F) -> Connector<F>
where
    F: Fn(Location, Duration) -> S + Send + Sync + 'static,
    S: Future<Output = io::Result<Stream>> + Send + 'static,
{
    Connector { connect }
}

/// What [`connector`] returns.
#[derive(Clone, Copy)]
pub struct Connector<F> {
    connect: F,
}

impl<F, S> Transport for Connector<F>
where
    F: Fn(Location, Duration) -> S + Send + Sync + 'static,
    S: Future<Output = io::Result<Stream>> + Send + 'static,
{
    fn connect<'a>(
        &'a self,
        to: &'a Location,
        within: Duration,
    ) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin((self.connect)(to.clone(), within))
    }

    fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>> {
        let why = format!("a connector only connects, and cannot listen at {at}");
        Box::pin(std::future::ready(Err(io::Error::new(
            io::ErrorKind::Unsupported,
            why,
        ))))
    }
}

impl<F> fmt::Debug for Connector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
