use std::net::SocketAddr;

use tokio::sync::oneshot;

use crate::Payload;

/// Whatever a contender fails with; a benchmark can only report it and stop.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Something that carries calls over one TCP connection.
///
/// A clone is a handle to the same connection.
pub trait Contender: Clone + Send + Sync + 'static {
    /// What a caller sends and gets back. Whatever is made once per value and not once per call belongs in it.
    type Value: Send + 'static;

    /// Serves calls on a free port of loopback, which it tells through `bound`, until it is dropped.
    fn serve(bound: oneshot::Sender<SocketAddr>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Opens the connection.
    fn connect(server: SocketAddr) -> impl Future<Output = Result<Self, Error>> + Send;

    /// The value that stands for a payload.
    ///
    /// # Errors
    ///
    /// When it does not serialise.
    fn value(payload: Payload) -> Result<Self::Value, Error>;

    /// Makes one call. Gives the answer back, so that a caller's next call needs no copy of the value.
    fn call(&self, value: Self::Value) -> impl Future<Output = Result<Self::Value, Error>> + Send;
}
