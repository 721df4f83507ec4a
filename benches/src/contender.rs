use std::{net::SocketAddr, time::Duration};

use tokio::sync::oneshot;

use crate::{Handler, Payload};

/// Whatever a contender fails with; a benchmark can only report it and stop.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Something that carries calls over one TCP connection.
///
/// A clone is a handle to the same connection. Calls may take long under load; what limits their time, size or number is raised where it would cap them.
pub trait Contender: Clone + Send + Sync + 'static {
    /// The packages that it is made of, as the lock file names them: the report tells their versions.
    const PACKAGES: &'static [&'static str];

    /// Whether its server runs a [`Handler`]. The floors do not: they only give back what they get, and
    /// [pause](Self::pause) for nobody.
    const HANDLES: bool = true;

    /// What a caller sends and gets back. Whatever is made once per value and not once per call belongs in it.
    type Value: Clone + Send + 'static;

    /// Serves calls on a free port of loopback, which it tells through `bound`, until it is dropped. What a call does is
    /// the handler's to say.
    fn serve(
        bound: oneshot::Sender<SocketAddr>,
        handler: Handler<Self>,
    ) -> impl Future<Output = Result<(), Error>> + Send;

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

    /// Makes a call whose handler sleeps for that long before it answers.
    fn pause(&self, time: Duration) -> impl Future<Output = Result<(), Error>> + Send;

    /// Runs what a process does, be it the server or the client with all its callers: on tokio's multi-threaded runtime.
    ///
    /// To be replaced by whose calls cannot move between threads: they run `work` on a `current_thread` runtime. Load and
    /// server spawn all tasks from within `work`, so these stay on that one thread, too.
    ///
    /// # Errors
    ///
    /// Those of `work`, and when there is no runtime.
    fn run<T: Send + 'static>(
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(runtime.spawn(work))?
    }
}
