//! How the services are called by those that run elsewhere.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    CallOptions,
    client::{
        Balancing, ChannelConfig, ChannelPool, Client, Cluster, ClusterBuilder, ClusterError,
    },
    connection::Limits,
    registry::Registry,
};

/// What the calls to all services have in common. What is particular to a method, its trait says.
#[derive(Clone, Debug)]
pub(crate) struct Calling {
    registry: Arc<dyn Registry>,
    group: String,
    zone: Option<String>,
    pool: ChannelPool,
}

/// An instance that hangs is given up after both: less than a call gets, so that there is time for another instance.
const PING_AFTER: Duration = Duration::from_millis(300);
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// All instances are near.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

impl Calling {
    /// Those of this group that are registered here.
    pub(crate) fn new(registry: &Arc<dyn Registry>, group: impl Into<String>) -> Self {
        let channel = ChannelConfig {
            limits: Limits {
                ping_after: PING_AFTER,
                ping_timeout: PING_TIMEOUT,
                ..Limits::default()
            },
            connect_timeout: CONNECT_TIMEOUT,
            ..ChannelConfig::default()
        };
        Self {
            registry: Arc::clone(registry),
            group: group.into(),
            zone: None,
            pool: ChannelPool::new(channel),
        }
    }

    /// Those in the zone of this process first, if it has one.
    pub(crate) fn in_zone(mut self, zone: Option<String>) -> Self {
        self.zone = zone;
        self
    }

    /// All instances of a service.
    pub(crate) async fn cluster(&self, service: ClusterBuilder) -> Result<Cluster, ClusterError> {
        let balancing = Balancing {
            zone: self.zone.clone(),
            ..Balancing::default()
        };
        let cluster = service
            .registry(&self.registry)
            .group(&self.group)
            .balancing(balancing)
            .pool(&self.pool);
        cluster.follow().await
    }
}

/// A client waits while no instance is there, as when all of them restart.
pub(crate) fn patiently(cluster: Cluster) -> Client {
    Client::from(cluster).with(CallOptions::new().wait_for_ready(true))
}
