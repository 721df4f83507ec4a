use std::collections::BTreeMap;
use std::future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::{
    Instance, Leave, Publisher, Registration, Registry, RegistryError, ServiceKey, Snapshot, Watch,
};

/// A registry within one process: clones are handles to the same registry.
///
/// There is no expiry, because an instance cannot outlive the process. The registry lives as long
/// as a handle or a registration does; then its watches are closed.
///
/// ```
/// use doge_registry::{Instance, Memory, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Memory::new();
/// let key = ServiceKey::new("hr.employee");
/// let registration = registry
///     .register(Instance::new(key.clone(), "tcp://127.0.0.1:4399"))
///     .await?;
/// assert_eq!(registry.clone().watch(key.clone()).await?.snapshot().len(), 1);
/// drop(registration);
/// assert!(registry.watch(key).await?.snapshot().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory {
    services: Arc<Services>,
}

impl Memory {
    /// A new, empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Registry for Memory {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            let instance = Arc::new(instance);
            self.services.add(&instance)?;
            let presence = Presence {
                services: Arc::clone(&self.services),
                instance: Arc::clone(&instance),
            };
            Ok(Registration::new(instance, presence))
        })
    }

    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            Ok(self.services.watch(service))
        })
    }
}

#[derive(Debug)]
struct Presence {
    services: Arc<Services>,
    instance: Arc<Instance>,
}

impl Leave for Presence {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        self.abandon();
        Box::pin(future::ready(Ok(())))
    }

    fn abandon(self: Box<Self>) {
        self.services.remove(&self.instance);
    }
}

#[derive(Debug, Default)]
struct Services {
    by_key: Mutex<BTreeMap<ServiceKey, Publisher>>,
}

impl Services {
    fn add(&self, instance: &Arc<Instance>) -> Result<(), RegistryError> {
        let mut services = self.lock();
        let publisher = publisher_of(&mut services, instance.key().clone());
        let before = publisher.watch().snapshot();
        if before.get(instance.id()).is_some() {
            return Err(RegistryError::AlreadyRegistered {
                key: instance.key().clone(),
                id: instance.id().to_owned(),
            });
        }
        publisher.publish(before.iter().chain([instance]).cloned().collect());
        Ok(())
    }

    fn remove(&self, instance: &Instance) {
        let mut services = self.lock();
        let publisher = publisher_of(&mut services, instance.key().clone());
        let before = publisher.watch().snapshot();
        let others = before.iter().filter(|other| other.id() != instance.id());
        publisher.publish(others.cloned().collect());
    }

    fn watch(&self, key: ServiceKey) -> Watch {
        publisher_of(&mut self.lock(), key).watch()
    }

    /// A poisoned lock is taken over: each change to the map is a single step.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ServiceKey, Publisher>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for a new key by forgetting those that nobody serves or watches any more.
fn publisher_of(services: &mut BTreeMap<ServiceKey, Publisher>, key: ServiceKey) -> &Publisher {
    if !services.contains_key(&key) {
        services.retain(|_, publisher| {
            publisher.is_watched() || !publisher.watch().snapshot().is_empty()
        });
    }
    services
        .entry(key)
        .or_insert_with(|| Publisher::new(Snapshot::default()))
}
