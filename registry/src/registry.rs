use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Instance, Registration, RegistryError, ServiceKey, Watch};

/// Where instances announce themselves and are found; used as `Arc<dyn Registry>`.
///
/// A registry of one's own hands out watches through a [`Publisher`](crate::Publisher) and makes
/// registrations from a [`Leave`](crate::Leave).
///
/// ```
/// use std::sync::Arc;
/// use doge_registry::{Memory, Registry, RegistryError, ServiceKey};
///
/// async fn how_many(registry: Arc<dyn Registry>) -> Result<usize, RegistryError> {
///     let watch = registry.watch(ServiceKey::new("hr.employee")).await?;
///     Ok(watch.snapshot().len())
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// assert_eq!(how_many(Arc::new(Memory::new())).await.unwrap(), 0);
/// # });
/// ```
pub trait Registry: fmt::Debug + Send + Sync + 'static {
    /// Announces `instance` until the returned [`Registration`] leaves or is dropped.
    ///
    /// Call it when the instance already listens. Cancel safe: an instance whose registration was
    /// not waited for is taken back.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the key is not [valid](ServiceKey::validate), when the same instance
    /// is registered already, or when the registry cannot be written.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>>;

    /// Follows the instances of `service`; the watch holds a first snapshot when this returns.
    ///
    /// Watches of the same key share one source, which stops when the last of them is dropped.
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] when the key is not [valid](ServiceKey::validate), or when there is no
    /// first snapshot to be had. A service without instances is no error.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>>;

    /// Whether [`register`](Self::register) announces anything: true unless the registry says otherwise.
    ///
    /// A registry that only lists what was written elsewhere, such as [`Static`](crate::Static), takes each instance and
    /// announces none. A server warns of such a registry, because its clients find the server only if its address is in
    /// that list.
    ///
    /// ```
    /// use doge_registry::{Memory, Registry, Static};
    ///
    /// assert!(Memory::new().registers());
    /// assert!(!Static::new().registers());
    /// ```
    fn registers(&self) -> bool {
        true
    }
}
