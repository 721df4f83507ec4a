//! One connection per instance, for all services on it; and what becomes of that when the instance leaves.

use std::sync::Arc;

use doge_rpc::{
    client::ChannelPool,
    prelude::*,
    registry::{Instance, Memory, ServiceKey},
};

use crate::common::{
    Act, Fleet, Handlers, Probe, ProbeClient, ProbeServer, Proxy, patient, soon, until,
};

#[service(name = "clock")]
trait Clock {
    async fn ticks(&self) -> Result<u64, Status>;
}

struct Stopped;

impl Clock for Stopped {
    async fn ticks(&self) -> Result<u64, Status> {
        Ok(7)
    }
}

#[tokio::test]
async fn two_services_of_one_instance_share_a_connection() {
    let handlers = Handlers::new(0, &Default::default());
    let server = Server::builder()
        .add(ProbeServer::new(handlers))
        .add(ClockServer::new(Stopped));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let proxy = Proxy::listen().await;
    proxy.forward_to(&server.address().to_string());
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let mut registrations = Vec::new();
    for service in ["probe", "clock"] {
        let instance = Instance::new(ServiceKey::new(service), proxy.address());
        registrations.push(registry.register(instance).await.unwrap());
    }

    let pool = ChannelPool::default();
    let probe = ProbeClient::cluster().registry(&registry).pool(&pool);
    let clock = ClockClient::cluster().registry(&registry).pool(&pool);
    let probe = ProbeClient::new(probe.follow().await.unwrap()).with(patient());
    let clock = ClockClient::new(clock.follow().await.unwrap()).with(patient());
    for _ in 0..20 {
        assert_eq!(probe.write().await.unwrap(), 0);
        assert_eq!(clock.ticks().await.unwrap(), 7);
    }
    assert_eq!(proxy.accepted(), 1);

    // One goes, the other keeps it; both go, and it closes.
    drop(probe);
    assert_eq!(clock.ticks().await.unwrap(), 7);
    proxy.until_open(1).await;
    drop(clock);
    proxy.until_open(0).await;
    assert_eq!(proxy.accepted(), 1);
}

#[tokio::test]
async fn pools_share_nothing() {
    let fleet = Fleet::of(1).await;
    let (one, _) = fleet.follow(fleet.cluster()).await;
    let (other, _) = fleet.follow(fleet.cluster()).await;
    assert_eq!(fleet.replicas[0].proxy.accepted(), 2);
    drop((one, other));
}

#[tokio::test]
async fn the_connection_to_an_instance_that_left_ends_with_its_last_call() {
    let mut fleet = Fleet::of(2).await;
    fleet.all(&Act::Gate);
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.write().await }
    });
    let number = fleet.first_running().await.handlers.number();
    let registration = fleet.replicas[number].registration.take().unwrap();
    registration.leave().await.unwrap();
    until(|| cluster.addresses().len() == 1).await;

    // New calls go elsewhere; the one that runs there goes on.
    let (left, stays) = (&fleet.replicas[number], &fleet.replicas[1 - number]);
    stays.handlers.act(Act::Answer);
    for _ in 0..10 {
        assert_eq!(client.write().await.unwrap(), 1 - number);
    }
    assert_eq!(left.handlers.running(), 1);
    left.proxy.until_open(1).await;
    left.handlers.open_gate();
    assert_eq!(soon(call).await.unwrap().unwrap(), number);
    left.proxy.until_open(0).await;
    stays.proxy.until_open(1).await;
}

#[tokio::test]
async fn a_cluster_that_is_dropped_leaves_nothing_behind() {
    let fleet = Fleet::of(3).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    client.write().await.unwrap();
    drop((cluster, client));
    for replica in &fleet.replicas {
        replica.proxy.until_open(0).await;
        assert_eq!(replica.proxy.accepted(), 1);
    }
}
