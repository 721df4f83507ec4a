use std::{fmt, sync::Arc, time::Duration};

use doge_registry::Registration;
use doge_rpc_core::transport::Address;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Interrupted, ServerStats, StopSignal, accept::Connections};

/// A server that listens. Dropping it ends it at once, with all that runs; [`drain`](Self::drain) loses nothing.
///
/// ```
/// use doge_rpc_server::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), doge_rpc_server::StartError> {
/// let server = Server::builder().start("tcp://127.0.0.1:0").await?;
/// assert_ne!(server.address().to_string(), "tcp://127.0.0.1:0");
/// server.drain().await;
/// # Ok(())
/// # }
/// ```
pub struct Running {
    pub(crate) addresses: Arc<[Address]>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) registrations: Vec<Registration>,
    pub(crate) stop: CancellationToken,
    pub(crate) accepting: Vec<JoinHandle<()>>,
    pub(crate) linger: Duration,
    pub(crate) grace: Duration,
}

/// How long a registry may take to let an instance leave.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

impl Running {
    /// Where it listens, with the port that the system chose; the first address, if there are several.
    pub fn address(&self) -> &Address {
        &self.addresses[0]
    }

    /// All addresses at which it listens; at least one.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The statistics of the server since its start. Briefly locks each open connection.
    ///
    /// ```
    /// use doge_rpc_server::Server;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), doge_rpc_server::StartError> {
    /// let server = Server::builder().start("tcp://127.0.0.1:0").await?;
    /// for method in server.stats().methods {
    ///     println!("{}/{}: {:?}", method.service, method.method, method.ended);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stats(&self) -> ServerStats {
        self.connections.stats()
    }

    /// Shuts down without losing a call: leaves the registries, goes on for the
    /// [linger time](crate::Builder::linger), takes no more connections, asks clients to call elsewhere, finishes what runs within the grace time, and closes.
    ///
    /// Dropping the future ends the server at once.
    pub async fn drain(mut self) {
        let leaving = self.registrations.drain(..).map(|registration| async {
            let service = registration.instance().key().to_string();
            match tokio::time::timeout(LEAVE_TIMEOUT, registration.leave()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(service, %error, "cannot leave the registry"),
                Err(_) => tracing::warn!(service, "the registry does not answer; left without it"),
            }
        });
        futures_util::future::join_all(leaving).await;
        tokio::time::sleep(self.linger).await;
        self.stop.cancel();
        futures_util::future::join_all(self.accepting.drain(..)).await;
        self.connections.go_away();
        if tokio::time::timeout(self.grace, self.connections.gone())
            .await
            .is_err()
        {
            tracing::warn!(grace = ?self.grace, "calls still run after the grace time; they are stopped");
            self.connections.close();
            self.connections.gone().await;
        }
        tracing::info!(addresses = self.addresses_text(), "drained");
    }

    /// Runs until the process is asked to stop, then [drains](Self::drain); asked once more, it ends at once.
    ///
    /// Dropping the future ends the server at once.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] when it was asked once more before the drain was over.
    pub async fn until_signal(self, stop: &mut StopSignal) -> Result<(), Interrupted> {
        stop.received().await;
        tracing::info!(addresses = self.addresses_text(), "asked to stop");
        tokio::select! {
            biased;
            () = self.drain() => Ok(()),
            () = stop.received() => {
                tracing::warn!("asked to stop once more; calls that still run are stopped");
                Err(Interrupted)
            }
        }
    }
}

impl Running {
    /// The addresses for a log line.
    pub(crate) fn addresses_text(&self) -> String {
        let texts: Vec<_> = self.addresses.iter().map(ToString::to_string).collect();
        texts.join(", ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
        self.connections.close();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}
