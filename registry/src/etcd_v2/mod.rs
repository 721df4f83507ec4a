//! The registry of Python doge, in the API that etcd had before version 3: [`holder`] keeps an instance of this process
//! there, [`follower`] follows those of all, [`client`] finds the member of etcd that answers.

mod answer;
mod builder;
mod client;
mod failure;
mod follower;
mod holder;
mod http;
mod layout;
mod listing;
mod presence;
mod settings;
mod url;
mod value;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub use self::builder::EtcdV2Builder;
use self::client::Client;
use self::failure::Reason;
use self::follower::Follower;
use self::holder::{Holder, Places};
use self::presence::Presence;
use self::settings::Settings;
pub(crate) use self::url::open;
use crate::key::validate_name;
use crate::remote::following;
use crate::sources::Sources;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Snapshot, Watch};

/// The registry of a fleet of Python doge, in the API of version 2 of etcd: up to 3.5, started with `--enable-v2=true`.
///
/// A key `/doge/rpc/{service}/{instance}` with the value `host:port` is an instance. There is nothing else that Python
/// doge knows of one, so weight, zone and tags stay here; and it knows neither groups nor versions, so that one of each
/// ([`group`](EtcdV2Builder::group), [`version`](EtcdV2Builder::version)) stands for all: there are no instances of
/// others, and they cannot be registered. Its clients call methods by their names alone, so of the services on one port
/// only the default one can be registered; of the others it takes [none](Instance::with_native_only).
///
/// **Registering** takes an instance at `tcp://HOST:PORT`, where a server speaks doge's dialect as well, or at
/// `doge://` or `msgpack-rpc://`. Python doge cannot be told of IPv6 addresses: advertise a name or an IPv4 address.
/// The key is set once, which is what doge's clients count endpoints by, and then refreshed for ever, over outages and
/// restarts of etcd. One that is gone is set anew. Who leaves is deleted, once; who is merely dropped is deleted in
/// the background; who dies expires after the time to live (10 s).
///
/// **Watching** lists the service and follows the events from there; nothing between is lost. A value is read as
/// `doge://host:port`, or as `msgpack-rpc://host:port` when the fleet [has no meta map](EtcdV2Builder::meta). An
/// instance of this framework that registered `tcp://` is shown like that, too: it speaks both. While etcd is away the
/// last snapshot stays; a directory that is not there is a service without instances. A list that becomes empty, or
/// shorter than half, is confirmed first ([`HoldBack`](crate::HoldBack)).
///
/// Clones are handles to the same registry. Its work runs on the tokio runtime it is called from. There is neither TLS
/// nor login, as in doge. A [`Bridge`](crate::Bridge) connects it to the registry of the rest.
///
/// ```no_run
/// use doge_registry::{EtcdV2, Instance, Registry, ServiceKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = EtcdV2::builder(["10.0.0.1:2379"]).build()?;
/// let key = ServiceKey::new("hr.employee");
/// let mut watch = registry.watch(key.clone()).await?;
///
/// let registration = registry.register(Instance::new(key, "tcp://10.0.1.7:4399")).await?;
/// let snapshot = watch.changed().await?;
/// assert_eq!(snapshot.iter().next().map(|instance| instance.address()), Some("doge://10.0.1.7:4399"));
///
/// registration.leave().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EtcdV2 {
    client: Arc<Client>,
    places: Places,
    sources: Arc<Sources>,
}

impl EtcdV2 {
    /// A registry in the etcd with these endpoints: `host:port`, with `http://` before it or without. One is enough;
    /// with several, work moves to another when one fails.
    pub fn builder<E: Into<String>>(endpoints: impl IntoIterator<Item = E>) -> EtcdV2Builder {
        EtcdV2Builder::new(endpoints.into_iter().map(Into::into).collect())
    }

    fn new(settings: Arc<Settings>) -> Self {
        Self {
            client: Arc::new(Client::new(settings)),
            places: Places::default(),
            sources: Arc::default(),
        }
    }

    /// The key and the value of an instance.
    fn entry(&self, instance: &Instance) -> Result<(String, String), RegistryError> {
        let layout = &self.client.settings().layout;
        if !layout.has(instance.key()) {
            return Err(RegistryError::CannotHold {
                part: "group or version",
                value: instance.key().to_string(),
                mend: "Python doge has neither, and one of each stands for all; register that one, \
                       or name another with EtcdV2Builder::group and EtcdV2Builder::version",
            });
        }
        if instance.is_native_only() {
            return Err(RegistryError::CannotHold {
                part: "service",
                value: instance.key().service().to_owned(),
                mend: "Python doge calls a method by its name alone, and at this port that is none of this service; give \
                       the service a port of its own where MessagePack-RPC is served, or make it the default one of its \
                       port with msgpack_rpc::Options::default_service",
            });
        }
        if instance.id().starts_with('_') {
            return Err(RegistryError::CannotHold {
                part: "instance id",
                value: instance.id().to_owned(),
                mend: "etcd hides keys that begin with an underscore",
            });
        }
        let value = value::encode(instance.address())?;
        Ok((layout.instance(instance), value))
    }

    async fn hold(&self, instance: &Arc<Instance>) -> Result<Presence, RegistryError> {
        let already = || RegistryError::AlreadyRegistered {
            key: instance.key().clone(),
            id: instance.id().to_owned(),
        };
        let (key, value) = self.entry(instance)?;
        let place = self.places.take(key).ok_or_else(already)?;
        let (first, set) = oneshot::channel();
        let (leave, leaving) = oneshot::channel();
        let holder = Holder::new(Arc::clone(&self.client), value, place);
        tokio::spawn(holder.hold(first, leaving));
        // Made first, so that it takes the instance back if this future is dropped while it waits.
        let presence = Presence::new(Arc::clone(&self.client), leave);
        match set.await {
            Ok(Ok(())) => Ok(presence),
            Ok(Err(failure)) if failure.reason == Reason::Taken => Err(already()),
            Ok(Err(failure)) => {
                Err(failure.report("register the instance", self.client.settings()))
            }
            Err(_) => Err(RegistryError::Stopped),
        }
    }
}

impl Registry for EtcdV2 {
    /// Sets the key of the instance, which is not there yet.
    ///
    /// # Errors
    ///
    /// [`RegistryError::CannotHold`] when Python doge could not be told of it.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            validate_name("instance id", instance.id())?;
            Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            let instance = Arc::new(instance);
            let presence = self.hold(&instance).await?;
            Ok(Registration::new(instance, presence))
        })
    }

    /// Joins the watch of this service, or starts one.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            if !self.client.settings().layout.has(&service) {
                tracing::warn!(%service, "Python doge has neither groups nor versions, so that there is nothing of this one in its registry");
                return Ok(Watch::fixed(Snapshot::default()));
            }
            let start = Follower::start(Arc::clone(&self.client), service.clone());
            following::watch(&self.sources, &service, start).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{EtcdV2, Instance, RegistryError, ServiceKey};

    /// Its clients would run a method of that name of another service.
    #[test]
    fn a_service_that_is_called_by_its_full_name_only_is_not_taken() {
        let registry = EtcdV2::builder(["a:1"]).build().unwrap();
        let instance = Instance::new(ServiceKey::new("hr.leave"), "tcp://b:1");
        registry.entry(&instance).unwrap();
        let refused = registry.entry(&instance.with_native_only()).unwrap_err();
        assert!(matches!(refused, RegistryError::CannotHold { .. }));
        let refused = refused.to_string();
        for part in ["\"hr.leave\"", "port of its own", "default_service"] {
            assert!(refused.contains(part), "{refused}");
        }
    }
}
