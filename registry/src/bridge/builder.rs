use std::collections::BTreeSet;
use std::sync::Arc;

use doge_base::Env;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Bridge;
use super::direction::{Direction, Side};
use crate::{Registry, RegistryError, ServiceKey};

/// Sets which services a [`Bridge`] is for.
#[must_use = "call start() to have the bridge"]
#[derive(Clone, Debug)]
pub struct BridgeBuilder {
    one: Arc<dyn Registry>,
    other: Arc<dyn Registry>,
    services: BTreeSet<ServiceKey>,
    env: Env,
}

impl BridgeBuilder {
    /// Adds a service.
    pub fn service(mut self, service: ServiceKey) -> Self {
        self.services.insert(service);
        self
    }

    /// Adds several services.
    pub fn services(mut self, services: impl IntoIterator<Item = ServiceKey>) -> Self {
        self.services.extend(services);
        self
    }

    /// Sets where the ids of images and the jitter of pauses come from: [`Env::system`] unless set.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// Watches all services on both sides, and begins. Its work runs on the tokio runtime it is called from.
    ///
    /// Cancel safe: what was not waited for has shown nothing.
    ///
    /// # Errors
    ///
    /// [`RegistryError::OneOf`] with the side that could not be watched; [`RegistryError::InvalidSetting`] when no
    /// service was added.
    pub async fn start(self) -> Result<Bridge, RegistryError> {
        Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
        if self.services.is_empty() {
            return Err(RegistryError::InvalidSetting {
                setting: "service",
                value: String::new(),
                mend: "add the services that the bridge is for",
            });
        }
        let mut directions = Vec::new();
        for service in &self.services {
            let (one, other) = tokio::join!(
                Side::watch(&self.one, service, &self.env),
                Side::watch(&self.other, service, &self.env),
            );
            let one = one.map_err(|error| RegistryError::one_of(0, 2, error))?;
            let other = other.map_err(|error| RegistryError::one_of(1, 2, error))?;
            directions.push(Direction::new(one.once_more(), other.once_more()));
            directions.push(Direction::new(other, one));
        }
        let stopping = watch::Sender::new(());
        Ok(Bridge {
            directions: directions
                .into_iter()
                .map(|direction| tokio::spawn(direction.run(stopping.subscribe())))
                .collect(),
            stopping,
        })
    }

    pub(super) fn new(one: Arc<dyn Registry>, other: Arc<dyn Registry>) -> Self {
        Self {
            one,
            other,
            services: BTreeSet::new(),
            env: Env::system(),
        }
    }
}
