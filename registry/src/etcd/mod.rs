//! The registry in etcd: [`provider`] keeps the instances of this process there, [`consumer`] follows those of all,
//! [`members`] finds the member of etcd that answers.

mod builder;
mod consumer;
mod failure;
mod layout;
mod members;
mod provider;
mod settings;
mod tls;
mod url;
mod value;

use std::sync::Arc;

use etcd_client::KeyValue;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

pub use self::builder::EtcdBuilder;
use self::consumer::Follower;
use self::members::Members;
use self::provider::Provider;
use self::settings::Settings;
pub use self::tls::EtcdTls;
pub(crate) use self::url::open;
use crate::key::validate_name;
use crate::remote::following;
use crate::sources::Sources;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Watch};

/// The registry of a cluster, in etcd (version 3.4 or newer).
///
/// **Registering.** All instances registered through one handle live on one lease, renewed every third of its time to
/// live (15 s unless built otherwise). [`register`](Registry::register) returns once the instance was
/// read back, and fails when etcd cannot be reached or refuses. From then on it is never given up: when the
/// lease dies, etcd was away, or somebody deleted the key, the instance is registered again as soon as etcd can be
/// written. Who leaves is deleted; with the last one the lease is revoked. A
/// registration that is merely dropped is deleted in the background, and if the process ends before that, expires.
///
/// **Watching.** A [`watch`](Registry::watch) reads all instances and follows the events from there, over
/// restarts of etcd, lost members and compacted history. While etcd is away the last snapshot stays. An
/// instance that etcd no longer lists leaves the snapshot within 200 ms; but a list that becomes
/// empty, or shorter than half, is confirmed first ([`HoldBack`](crate::HoldBack)), unless the missing
/// instances have said farewell, as with [`leave`](crate::Registration::leave). What is not an instance is
/// logged once and passed over. With [`snapshots`](EtcdBuilder::snapshots), a process can start while
/// etcd is away.
///
/// Keys and values are described in `docs/registry.md`: `/doge/rpc/{group}/{service}/{version}/{instance}`, and
/// JSON. A bare `host:port` is read as an instance of Python doge, too.
///
/// Clones are handles to the same registry. Its work runs on the tokio runtime it is called from. When
/// etcd is away, both methods say so after the request timeout (3 s), or that for each member when none of
/// them answers at all.
///
/// ```no_run
/// use doge_registry::{Etcd, Instance, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Etcd::builder(["10.0.0.1:2379", "10.0.0.2:2379", "10.0.0.3:2379"]).build()?;
/// let key = ServiceKey::new("hr.employee");
/// let mut watch = registry.watch(key.clone()).await?;
///
/// let registration = registry.register(Instance::new(key, "tcp://10.0.1.7:4399")).await?;
/// assert_eq!(watch.changed().await?.len(), 1);
///
/// registration.leave().await?;
/// assert!(watch.changed().await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Etcd {
    members: Arc<Members>,
    provider: Arc<Provider>,
    sources: Arc<Sources>,
}

impl Etcd {
    /// A registry in the etcd with these endpoints: `host:port`, with `http://` or `https://` before it or without. One
    /// is enough; with several, work moves to another when one fails.
    pub fn builder<E: Into<String>>(endpoints: impl IntoIterator<Item = E>) -> EtcdBuilder {
        EtcdBuilder::new(endpoints.into_iter().map(Into::into).collect())
    }

    fn new(settings: Arc<Settings>) -> Self {
        let members = Arc::new(Members::new(settings));
        Self {
            provider: Arc::new(Provider::new(Arc::clone(&members))),
            members,
            sources: Arc::new(Sources::default()),
        }
    }
}

/// Whether an event with this key is its deletion: a key that is there has been put once at least. `event_type` of
/// etcd-client panics at a kind of event that it does not know.
fn is_deletion(kv: &KeyValue) -> bool {
    kv.version() == 0
}

impl Registry for Etcd {
    /// Puts the instance on the lease of this process, and reads it back.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            validate_name("instance id", instance.id())?;
            Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            let instance = Arc::new(instance);
            let presence = self.provider.register(&instance).await?;
            Ok(Registration::new(instance, presence))
        })
    }

    /// Joins the watch of this service, or starts one.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            let start = Follower::start(Arc::clone(&self.members), service.clone());
            following::watch(&self.sources, &service, start).await
        })
    }
}
