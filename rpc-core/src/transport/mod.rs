//! What bytes travel over: the sockets of the system, pipes inside the process, and what else a [`Transport`] offers.

mod listener;
pub mod memory;
mod sockets;
mod stream;
mod tcp;
mod unix;

use std::{fmt, io, sync::Arc, time::Duration};

pub use doge_base::{Address, AddressError, Dialect, HostPort, IntoAddress, Location};
use futures_util::future::BoxFuture;

pub use self::{
    listener::{Accept, Listener},
    sockets::{Connector, Sockets, connector},
    stream::{ReadHalf, Stream, WriteHalf},
};

/// How clients reach a location, and how servers listen there. [`Sockets`] is the default on both ends.
///
/// A transport of its own gives TLS, a proxy or a simulated network to channels and servers, which go on to speak of
/// `tcp://` addresses as before. What it hands out is any stream of bytes, buffered or not: writers flush.
///
/// ```
/// use std::{io, sync::Arc, time::Duration};
///
/// use doge_rpc_core::transport::{Listener, Location, Sockets, Stream, Transport};
/// use futures_util::future::BoxFuture;
/// use tokio::io::BufStream;
///
/// /// The sockets of the system behind buffers.
/// #[derive(Debug)]
/// struct Buffered;
///
/// impl Transport for Buffered {
///     fn connect<'a>(&'a self, to: &'a Location, within: Duration) -> BoxFuture<'a, io::Result<Stream>> {
///         Box::pin(async move {
///             let stream = Sockets.connect(to, within).await?;
///             Ok(Stream::other(BufStream::new(stream)))
///         })
///     }
///
///     fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>> {
///         Sockets.listen(at)
///     }
/// }
///
/// let transport: Arc<dyn Transport> = Arc::new(Buffered);
/// ```
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Connects. The caller waits no longer than `within`: what there is to try, such as the addresses of a name, shares
    /// that time. Cancel safe: a dropped attempt leaves nothing behind.
    ///
    /// # Errors
    ///
    /// Why it cannot connect. `ConnectionRefused` says that nobody listens there.
    fn connect<'a>(
        &'a self,
        to: &'a Location,
        within: Duration,
    ) -> BoxFuture<'a, io::Result<Stream>>;

    /// Listens. Cancel safe: a dropped attempt listens nowhere.
    ///
    /// # Errors
    ///
    /// Why it cannot listen; for a taken location, `AddrInUse`.
    fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>>;
}

/// The sockets of the system.
#[must_use]
pub fn sockets() -> Arc<dyn Transport> {
    Arc::new(Sockets)
}
