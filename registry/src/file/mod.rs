mod builder;
mod entry;
mod follower;
mod heartbeat;
mod layout;
mod listing;
mod presence;
mod scanner;
mod seen;
mod sighting;
#[cfg(test)]
mod tests;
mod unreadable;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use doge_base::Env;
use futures_util::future::BoxFuture;

pub use self::builder::FileBuilder;
use self::follower::Follower;
use self::heartbeat::Heartbeat;
use self::layout::Layout;
use self::presence::Presence;
use self::scanner::Scanner;
use crate::key::validate_name;
use crate::sources::Sources;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Watch};

/// A registry in a folder, for the processes of one machine.
///
/// Every instance is one JSON file, `DIR/{group}/{service}/{version}/{instance}.json`, whose time of
/// modification is renewed every third of its time to live (10 s unless built otherwise). A file
/// not renewed for that long no longer counts, and after twice that long whoever reads the folder
/// removes it. A file that was deleted or damaged is back at the next renewal; fields of a readable
/// one, such as the weight, may be edited by hand and stay so. `registration` tells one registration of an instance from
/// a later one, whose file an earlier one neither renews nor removes; a file made by hand needs none. The folder is made when first needed.
///
/// Watches read the folder every 250 ms unless built otherwise. What is not an entry is logged once
/// per change and passed over, and when the folder cannot be read the last snapshot stays.
///
/// ```json
/// {
///   "schema": 1,
///   "ttl_ms": 10000,
///   "registration": "5f2c1c0a-3a53-4c3f-8f0a-9d7b1f7f4d11",
///   "instance": {
///     "id": "0b0f5c1e-8f6e-4c56-9a55-0c8a4f2f6f3d",
///     "key": { "group": "default", "service": "hr.employee", "version": "1" },
///     "address": "tcp://127.0.0.1:4399",
///     "weight": 100,
///     "zone": "a",
///     "tags": { "build": "412" }
///   }
/// }
/// ```
///
/// Clones are handles to the same registry. Its work runs on the tokio runtime it is called from.
///
/// ```
/// use doge_registry::{File, Instance, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let registry = File::new(folder);
/// let key = ServiceKey::new("hr.employee");
/// let mut watch = registry.watch(key.clone()).await?;
///
/// let registration = registry
///     .register(Instance::new(key, "unix:///run/hr/employee.sock"))
///     .await?;
/// assert_eq!(watch.changed().await?.len(), 1);
///
/// registration.leave().await?;
/// assert!(watch.changed().await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct File {
    layout: Layout,
    ttl: Duration,
    scan_interval: Duration,
    env: Env,
    sources: Arc<Sources>,
}

impl File {
    /// The registry in `folder`, with a time to live of 10 s and a scan every 250 ms.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::builder(folder).build()
    }

    /// The registry in `folder`, with other times.
    pub fn builder(folder: impl Into<PathBuf>) -> FileBuilder {
        FileBuilder::new(folder.into())
    }
}

impl Registry for File {
    /// Writes the entry, and starts to renew it.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            validate_name("instance id", instance.id())?;
            let presence = Presence::new(&self.layout, &instance, self.ttl, &self.env)?;
            let heartbeat = Heartbeat::start(presence, self.ttl / 3).await?;
            Ok(Registration::new(Arc::new(instance), heartbeat))
        })
    }

    /// Joins the scan of this service's folder, or starts one.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            if let Some(watch) = self.sources.join(&service) {
                return Ok(watch);
            }
            let scanner = Scanner::new(&self.layout, service.clone());
            let follower = Follower::start(scanner, self.env.clone()).await?;
            let publisher = Arc::clone(follower.publisher());
            Ok(self.sources.join_or_start(&service, &publisher, || {
                follower.spawn(&self.sources, &service, self.scan_interval);
            }))
        })
    }
}
