use std::sync::Arc;

use doge_rpc::{
    client::{ChannelPool, Cluster, ClusterBuilder, ClusterStats},
    prelude::*,
    registry::{Instance, Memory, Registration, ServiceKey},
    server::{Builder, Running},
};
use futures_util::future::select_all;

use super::{Act, Handlers, ProbeClient, ProbeServer, Proxy, probe::Next, soon, until};

/// Instances of the probe service, and the registry that has them.
pub(crate) struct Fleet {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) replicas: Vec<Replica>,
    next: Next,
}

/// One instance.
pub(crate) struct Replica {
    pub(crate) handlers: Handlers,
    /// What clients connect to.
    pub(crate) proxy: Proxy,
    pub(crate) instance: Instance,
    pub(crate) registration: Option<Registration>,
    pub(crate) server: Option<Running>,
}

impl Fleet {
    pub(crate) fn empty() -> Self {
        Self {
            registry: Arc::new(Memory::new()),
            replicas: Vec::new(),
            next: Next::default(),
        }
    }

    /// The handlers of an instance that is not of the fleet, and does what comes next.
    pub(crate) fn handlers(&self) -> Handlers {
        Handlers::new(self.replicas.len(), &self.next)
    }

    /// So many instances that answer.
    pub(crate) async fn of(count: usize) -> Self {
        let mut fleet = Self::empty();
        for _ in 0..count {
            fleet.add().await;
        }
        fleet
    }

    /// One instance more.
    pub(crate) async fn add(&mut self) {
        self.add_as(|server| server, |instance| instance).await;
    }

    /// One instance more, served and registered like that.
    pub(crate) async fn add_as(
        &mut self,
        serve: impl FnOnce(Builder) -> Builder,
        advertise: impl FnOnce(Instance) -> Instance,
    ) {
        let handlers = self.handlers();
        let proxy = Proxy::listen().await;
        let server = Server::builder().add(ProbeServer::new(handlers.clone()));
        let server = serve(server).start("tcp://127.0.0.1:0").await.unwrap();
        proxy.forward_to(&server.address().to_string());
        let instance = advertise(Instance::new(ServiceKey::new("probe"), proxy.address()));
        let registration = self.registry.register(instance.clone()).await.unwrap();
        self.replicas.push(Replica {
            handlers,
            proxy,
            instance,
            registration: Some(registration),
            server: Some(server),
        });
    }

    /// A cluster of these instances alone, which shares connections with no other.
    pub(crate) fn cluster(&self) -> ClusterBuilder {
        ProbeClient::cluster()
            .registry(&self.registry)
            .pool(&ChannelPool::default())
    }

    /// Follows, and waits until all instances are connected.
    pub(crate) async fn follow(&self, builder: ClusterBuilder) -> (Cluster, ProbeClient) {
        let cluster = builder.follow().await.unwrap();
        let all = self.replicas.len();
        until(|| connected(&cluster.stats()) == all).await;
        let client = ProbeClient::new(cluster.clone()).with(super::patient());
        (cluster, client)
    }

    /// What the next call does, whichever instance it reaches.
    pub(crate) fn next(&self, act: Act) {
        self.next.lock().unwrap().push_back(act);
    }

    /// What all instances do from now on.
    pub(crate) fn all(&self, act: &Act) {
        for replica in &self.replicas {
            replica.handlers.act(act.clone());
        }
    }

    /// How many calls began at each instance.
    pub(crate) fn started(&self) -> Vec<usize> {
        let replicas = self.replicas.iter();
        replicas.map(|it| it.handlers.started()).collect()
    }

    /// How many calls began.
    pub(crate) fn total(&self) -> usize {
        self.started().iter().sum()
    }

    /// The instance at which a call runs, once there is one.
    pub(crate) async fn first_running(&self) -> &Replica {
        let running = self.replicas.iter().map(|replica| {
            Box::pin(async move {
                replica.handlers.until_running(1).await;
                replica
            })
        });
        soon(select_all(running)).await.0
    }

    /// The other one of two.
    pub(crate) fn other(&self, than: &Replica) -> &Replica {
        let mut replicas = self.replicas.iter();
        let other = replicas.find(|it| it.instance.id() != than.instance.id());
        other.unwrap()
    }
}

fn connected(stats: &ClusterStats) -> usize {
    let endpoints = stats.endpoints.iter();
    endpoints.filter(|endpoint| endpoint.connected).count()
}
