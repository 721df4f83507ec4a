use std::fmt;
use std::future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::{Instance, RegistryError};

/// Keeps an instance registered: it is renewed in the background until this leaves or is dropped.
///
/// ```
/// use doge_registry::{Instance, Memory, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Memory::new();
/// let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://127.0.0.1:4399");
/// let registration = registry.register(instance).await?;
/// // Serve; then leave the registry before the listener stops.
/// registration.leave().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "the instance leaves the registry when its registration is dropped"]
#[derive(Debug)]
pub struct Registration {
    instance: Arc<Instance>,
    presence: Option<Box<dyn Leave>>,
}

impl Registration {
    /// The guard of a registry of one's own: `presence` is told, once, that it is over.
    pub fn new(instance: Arc<Instance>, presence: impl Leave) -> Self {
        Self {
            instance,
            presence: Some(Box::new(presence)),
        }
    }

    /// The guard of an instance that was not announced anywhere, so there is nothing to take back.
    pub(crate) fn unlisted(instance: Instance) -> Self {
        Self::new(Arc::new(instance), Unlisted)
    }

    /// The instance that is registered.
    #[must_use]
    pub fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    /// Takes the instance out of the registry and waits until that is done.
    ///
    /// Cancel safe in that the instance leaves either way; who drops the future does not learn
    /// whether it went well.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the registry could not be told. The background work has ended even
    /// so, and the instance expires by itself where the registry knows expiry.
    pub async fn leave(mut self) -> Result<(), RegistryError> {
        match self.presence.take() {
            Some(presence) => presence.leave().await,
            None => Ok(()),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(presence) = self.presence.take() {
            presence.abandon();
        }
    }
}

/// The presence of an instance that was not announced.
#[derive(Debug)]
struct Unlisted;

impl Leave for Unlisted {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        Box::pin(future::ready(Ok(())))
    }

    fn abandon(self: Box<Self>) {}
}

/// The presence of one instance in a registry, as its [`Registration`] ends it: one of the two
/// methods is called, once.
pub trait Leave: fmt::Debug + Send + Sync + 'static {
    /// Takes the instance out; it has to happen even if the future is dropped after its first poll.
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>>;

    /// Takes the instance out as well as can be done without waiting; called on drop.
    fn abandon(self: Box<Self>);
}
