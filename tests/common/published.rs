use std::sync::{Arc, Mutex};

use doge_rpc::{
    client::{ChannelPool, ClusterBuilder},
    registry::{
        BoxFuture, Hints, Instance, Publisher, Registration, Registry, RegistryError, ServiceKey,
        Snapshot, Watch,
    },
};

use super::{Fleet, ProbeClient};

/// A registry that has what the test says, for any service.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    publisher: Arc<Publisher>,
    /// What the next watch is refused with.
    broken: Arc<Mutex<Option<String>>>,
}

impl Published {
    /// The instances of a fleet.
    pub(crate) fn new(fleet: &Fleet) -> Self {
        let instances = fleet.replicas.iter().map(|it| it.instance.clone());
        Self {
            publisher: Arc::new(Publisher::new(instances.collect())),
            broken: Arc::default(),
        }
    }

    /// A cluster that follows it.
    pub(crate) fn cluster(&self) -> ClusterBuilder {
        let registry: Arc<dyn Registry> = Arc::new(self.clone());
        ProbeClient::cluster()
            .registry(&registry)
            .pool(&ChannelPool::default())
    }

    /// Has these from now on; those who follow on this thread know it when this returns.
    pub(crate) async fn publish(&self, instances: impl IntoIterator<Item = Instance>) {
        self.publish_as_is(instances.into_iter().collect()).await;
    }

    /// Has this from now on.
    pub(crate) async fn publish_as_is(&self, snapshot: Snapshot) {
        self.publisher.publish(snapshot);
        // Those who are woken have their turn before this one has its next.
        tokio::task::yield_now().await;
    }

    /// Refuses the next who wants to follow.
    pub(crate) fn refuse_once(&self, why: &str) {
        *self.broken.lock().unwrap() = Some(why.to_owned());
    }

    /// What those who follow say of the list from now on.
    pub(crate) fn hints(&self) -> Hints {
        self.publisher.hints()
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.publisher.is_watched()
    }
}

impl Registry for Published {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        unreachable!("no test registers {instance:?} here")
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async {
            match self.broken.lock().unwrap().take() {
                Some(why) => Err(RegistryError::Other(why.into())),
                None => Ok(self.publisher.watch()),
            }
        })
    }
}
