//! Showing the instances of one registry in another: [`mirrors`] decides what is to be shown, [`direction`] sees to it.

mod builder;
mod direction;
mod image;
mod mirrors;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use self::builder::BridgeBuilder;
use crate::{Registry, RegistryError};

/// Shows the instances of one registry in another, and the other way round, for the services it was given.
///
/// For the time in which a fleet moves from one to the other: what Python doge registered in etcd's version 2 is found
/// by those who look in version 3, and what registered there is found by Python doge.
///
/// - An instance that registered on one side is registered on the other as well, under an id of its own
///   (`doge-bridge-` and a UUID), with the same address, weight, zone and tags, and the tag `bridge-of` with the id
///   that it has at home. When it leaves or changes there, so it does here.
/// - **No loops.** What a bridge has registered, be it this one, another one, or one that died, is known by its id and
///   never shown again. So bridges make no chain either: connect each pair of registries.
/// - **No doubles.** An instance whose host and port are registered on the other side already, whatever the scheme, is
///   not shown there, as with a server that registers in both by itself.
/// - An instance that the other side [cannot hold](RegistryError::CannotHold), such as one at a Unix socket in the
///   registry of Python doge, is passed over with one warning.
/// - **Outages** are ridden out: what a registry that cannot be read had last counts, and what cannot be registered is
///   tried again, after 0.05 to 0.5 s at first and 1 to 10 s at last. A snapshot that is only
///   [restored](crate::Snapshot::is_restored) is waited out.
///
/// What is shown lives as long as the bridge, and when its process dies, as long as any registration of a process that
/// died. A bridge that starts again in the meantime shows all at once, so that until then an address may be listed
/// twice. That is the same with two bridges, which take over from each other without a gap.
///
/// ```
/// use std::sync::Arc;
///
/// use doge_registry::{Bridge, Instance, Memory, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let old: Arc<dyn Registry> = Arc::new(Memory::new());
/// let new: Arc<dyn Registry> = Arc::new(Memory::new());
/// let key = ServiceKey::new("hr.employee");
/// let bridge = Bridge::between(&old, &new).service(key.clone()).start().await?;
///
/// let mut watch = new.watch(key.clone()).await?;
/// let registration = old.register(Instance::new(key, "doge://10.0.0.1:4399")).await?;
/// let joined = watch.changed().await?;
/// assert_eq!(joined.iter().next().map(|instance| instance.address()), Some("doge://10.0.0.1:4399"));
///
/// bridge.stop().await?;
/// assert!(watch.snapshot().is_empty());
/// # drop(registration);
/// # Ok(())
/// # }
/// ```
///
/// Between Python doge and the rest, as a process of its own:
///
/// ```no_run
/// use doge_registry::{Bridge, ServiceKey, open};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let doge = open("etcd-v2://10.0.0.1:2379")?;
/// let ours = open("etcd://10.0.0.1:2379")?;
/// let services = ["hr.employee", "hr.leave"].map(ServiceKey::new);
/// let bridge = Bridge::between(&doge, &ours).services(services).start().await?;
/// // Until the process is asked to stop.
/// # std::future::pending::<()>().await;
/// bridge.stop().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "what is shown is taken back when the bridge is dropped"]
#[derive(Debug)]
pub struct Bridge {
    stopping: watch::Sender<()>,
    directions: Vec<JoinHandle<Result<(), RegistryError>>>,
}

impl Bridge {
    /// A bridge between these two; [`BridgeBuilder::service`] says for what.
    pub fn between(one: &Arc<dyn Registry>, other: &Arc<dyn Registry>) -> BridgeBuilder {
        BridgeBuilder::new(Arc::clone(one), Arc::clone(other))
    }

    /// Takes back what is shown, and waits until that is done, which is as long as a registry takes to answer. A
    /// bridge that is dropped does so in the background.
    ///
    /// Cancel safe in that all is taken back either way; who drops the future does not learn whether it went well.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when a registry could not be told; what is left there expires where the registry knows expiry.
    pub async fn stop(self) -> Result<(), RegistryError> {
        drop(self.stopping);
        let mut stopped = Ok(());
        for direction in self.directions {
            let ended = direction.await.unwrap_or(Err(RegistryError::Stopped));
            stopped = stopped.and(ended);
        }
        stopped
    }
}
