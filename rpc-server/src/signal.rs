use std::io;

use thiserror::Error;

/// Being asked to stop, by SIGTERM or by Ctrl-C (SIGINT); where there is no SIGTERM, by Ctrl-C alone.
///
/// From the making of the first one on, these signals no longer end the process by themselves. So make it before what
/// has to be cleaned up, and listen to it as long as the process runs.
///
/// ```no_run
/// use doge_rpc_server::{Server, StopSignal};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut stop = StopSignal::listen()?;
/// let server = Server::builder().start("tcp://127.0.0.1:4399").await?;
/// server.until_signal(&mut stop).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct StopSignal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    /// Listens from now on.
    ///
    /// # Errors
    ///
    /// When the system lets no signal be caught.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its I/O driver on.
    #[cfg(unix)]
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Listens from the first wait on.
    ///
    /// # Errors
    ///
    /// None here.
    #[cfg(not(unix))]
    pub fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for a signal that no earlier wait has returned. Cancel safe.
    #[cfg(unix)]
    pub async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for Ctrl-C. Cancel safe.
    #[cfg(not(unix))]
    pub async fn received(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Asked to stop once more before all was finished: what still ran has been stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "asked to stop once more before all calls were finished: those that still ran were stopped"
)]
pub struct Interrupted;
