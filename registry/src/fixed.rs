use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Snapshot, Watch};

/// A fixed list of addresses, for when there is no registry (doge calls this `direct`).
///
/// A service listed by name has the addresses given for it, in every group and version; any other
/// has those given for all, or none. An address is as an instance's: `tcp://host:port`, or
/// `doge://host:port` for a process of Python doge. A watch never changes. Registering succeeds and does nothing,
/// so that a server needs no special case.
///
/// ```
/// use doge_registry::{Registry, ServiceKey, Static};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Static::addresses(["tcp://10.0.0.1:4399", "tcp://10.0.0.2:4399"])
///     .service("hr.payroll", ["tcp://10.0.0.3:4399"]);
/// assert_eq!(registry.watch(ServiceKey::new("hr.employee")).await?.snapshot().len(), 2);
/// assert_eq!(registry.watch(ServiceKey::new("hr.payroll")).await?.snapshot().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Static {
    for_all: Vec<String>,
    by_service: BTreeMap<String, Vec<String>>,
}

impl Static {
    /// A registry without any address.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A registry with the same addresses for all services.
    pub fn addresses<A>(addresses: impl IntoIterator<Item = A>) -> Self
    where
        A: Into<String>,
    {
        Self {
            for_all: addresses.into_iter().map(Into::into).collect(),
            by_service: BTreeMap::new(),
        }
    }

    /// Sets the addresses of the service with this name, whatever its group and version.
    #[must_use]
    pub fn service<A>(
        mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = A>,
    ) -> Self
    where
        A: Into<String>,
    {
        let addresses = addresses.into_iter().map(Into::into).collect();
        self.by_service.insert(name.into(), addresses);
        self
    }

    fn snapshot(&self, key: &ServiceKey) -> Snapshot {
        self.by_service
            .get(key.service())
            .unwrap_or(&self.for_all)
            .iter()
            .map(|address| Instance::fixed(key.clone(), address))
            .collect()
    }
}

impl Registry for Static {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            Ok(Registration::unlisted(instance))
        })
    }

    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            Ok(Watch::fixed(self.snapshot(&service)))
        })
    }

    /// False: the list is fixed.
    fn registers(&self) -> bool {
        false
    }
}
