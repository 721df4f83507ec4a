use std::io;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Being asked to stop, by SIGTERM or by Ctrl-C (SIGINT).
///
/// From the making of the first one on, these signals no longer end the process by themselves. So make it before what
/// has to be cleaned up, and listen to it as long as the process runs.
///
/// SIGHUP does not end the process any more either, and does not ask it to stop: a terminal that closes, or an operator who
/// wants settings to be read anew, ends no calls.
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
    terminate: Signal,
    interrupt: Signal,
    /// Held so that the signal does not end the process.
    hangup: Signal,
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
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal that no earlier wait has returned. Cancel safe.
    pub async fn received(&mut self) {
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                Some(()) = self.hangup.recv() => tracing::info!("SIGHUP: nothing to reload"),
            }
        }
    }
}

/// Asked to stop once more before all was finished: what still ran has been stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "asked to stop once more before all calls were finished: those that still ran were stopped"
)]
pub struct Interrupted;
