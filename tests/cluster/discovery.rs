//! Which instances a cluster calls: those of its group and version, in all of its registries, as they come and go.

use std::sync::Arc;

use doge_rpc::{
    Deadline, Request,
    client::{Balancing, Cluster, ClusterError, LoadBalancing, MethodPolicy},
    prelude::*,
    registry::{Instance, Memory, ServiceKey},
    schema::Encoding,
    wire,
};
use futures_util::FutureExt;
use tracing::level_filters::LevelFilter;

use crate::{
    common::{Fleet, LIMIT, Probe, ProbeClient, Published, patient, soon, until},
    logs::Log,
};

#[tokio::test]
async fn groups_are_apart() {
    let mut fleet = Fleet::of(1).await;
    let canary = |it: Instance| Instance::new(it.key().clone().with_group("canary"), it.address());
    fleet.add_as(|server| server, canary).await;
    for (group, number) in [("default", 0), ("canary", 1)] {
        let cluster = fleet.cluster().group(group).follow().await.unwrap();
        let client = ProbeClient::new(cluster).with(patient());
        for _ in 0..5 {
            assert_eq!(client.write().await.unwrap(), number);
        }
    }
    assert_eq!(fleet.started(), [5, 5]);
}

/// What the service has become: keys are text now, and so are answers.
mod next {
    use doge_rpc::prelude::*;

    #[service(name = "probe", version = "2")]
    pub(super) trait Probe {
        async fn read(&self, key: String) -> Result<String, Status>;
    }

    pub(super) struct Handlers;

    impl Probe for Handlers {
        async fn read(&self, key: String) -> Result<String, Status> {
            Ok(format!("{key}, says version 2"))
        }
    }
}

#[tokio::test]
async fn two_versions_run_side_by_side() {
    use next::Probe as _;

    let fleet = Fleet::of(1).await;
    let server = Server::builder()
        .add(next::ProbeServer::new(next::Handlers))
        .registry(&fleet.registry);
    let _server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let old = ProbeClient::connect_via(&fleet.registry).await.unwrap();
    let new = next::ProbeClient::connect_via(&fleet.registry)
        .await
        .unwrap();
    for _ in 0..5 {
        assert_eq!(old.read(7).await.unwrap(), 0);
        assert_eq!(new.read("7".into()).await.unwrap(), "7, says version 2");
    }
    let none = fleet.cluster().version("3").follow().await.unwrap();
    let status = ProbeClient::new(none).read(7).await.unwrap_err();
    assert!(
        status.message().contains("no instance of default/probe/3"),
        "{status}"
    );
}

#[tokio::test]
async fn instances_of_all_registries_are_called() {
    let (one, other) = (Fleet::of(1).await, Fleet::of(1).await);
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        ..Balancing::default()
    };
    let both = one
        .cluster()
        .registry(&other.registry)
        .balancing(balancing)
        .follow()
        .await
        .unwrap();
    until(|| {
        both.stats()
            .endpoints
            .iter()
            .filter(|it| it.connected)
            .count()
            == 2
    })
    .await;
    let client = ProbeClient::new(both.clone()).with(patient());
    for _ in 0..10 {
        client.write().await.unwrap();
    }
    assert_eq!((one.total(), other.total()), (5, 5));
    // What leaves one of them is gone, and the other goes on.
    drop(one);
    until(|| both.addresses() == [other.replicas[0].proxy.address()]).await;
    for _ in 0..10 {
        client.write().await.unwrap();
    }
    assert_eq!(other.total(), 15);
}

#[tokio::test]
async fn an_instance_that_two_registries_have_is_one() {
    let fleet = Fleet::of(1).await;
    let second: Arc<dyn Registry> = Arc::new(Memory::new());
    let _registration = second
        .register(fleet.replicas[0].instance.clone())
        .await
        .unwrap();
    let cluster = fleet.cluster().registry(&second).follow().await.unwrap();
    until(|| !cluster.addresses().is_empty()).await;
    assert_eq!(cluster.addresses(), [fleet.replicas[0].proxy.address()]);
}

#[tokio::test]
async fn instances_join_and_leave_under_load_and_no_call_notices() {
    let mut fleet = Fleet::of(2).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let load = tokio::spawn(async move {
        let mut calls = 0_usize;
        while client.write().await? != usize::MAX {
            calls += 1;
            if calls == 2_000 {
                break;
            }
        }
        Ok::<_, Status>(calls)
    });
    for _ in 0..10 {
        fleet.add().await;
        let index = fleet.replicas.len() - 3;
        let gone = &mut fleet.replicas[index];
        gone.registration.take().unwrap().leave().await.unwrap();
        gone.server.take().unwrap().drain().await;
    }
    crate::common::soon(load).await.unwrap().unwrap();
    assert_eq!(fleet.total(), 2_000, "each once");
}

#[tokio::test]
async fn a_cluster_without_a_registry_says_so() {
    let error = ProbeClient::cluster().follow().await.unwrap_err();
    assert!(error.to_string().contains("no registry"), "{error}");
    let key = ServiceKey::new("no such name?");
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let builder = Cluster::builder(key).registry(&registry);
    builder.follow().await.unwrap_err();
}

#[tokio::test]
async fn a_process_under_two_ids_is_one_endpoint() {
    let fleet = Fleet::of(2).await;
    let registry = Published::new(&fleet);
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    let (cluster, client) = fleet.follow(registry.cluster().balancing(balancing)).await;

    // Restarted on its port, before what is left of the earlier process expires.
    let [one, other] = [0, 1].map(|index| fleet.replicas[index].instance.clone());
    let again = Instance::new(one.key().clone(), one.address());
    registry.publish([one, other, again.clone()]).await;
    let ids: Vec<_> = cluster
        .stats()
        .endpoints
        .into_iter()
        .map(|it| it.instance)
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&again.id().to_owned()), "{ids:?}");
    let all_connected = || cluster.stats().endpoints.iter().all(|it| it.connected);
    until(all_connected).await;

    for _ in 0..10 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [5, 5]);
    let body = wire::encode(&[(); 0], Encoding::Map).unwrap();
    let write = Request::new(ProbeClient::route("write"), body, Deadline::after(LIMIT));
    assert_eq!(cluster.broadcast(&write).await.unwrap().len(), 2);
    assert_eq!(fleet.started(), [6, 6]);
}

#[tokio::test]
async fn when_a_registry_is_gone_the_endpoints_stay_and_the_log_says_so() {
    let fleet = Fleet::of(1).await;
    let registry = Published::new(&fleet);
    let (cluster, client) = fleet.follow(registry.cluster()).await;
    let (log, _guard) = Log::capture(LevelFilter::WARN);
    // A cluster that nobody has any more has nothing to say.
    drop(fleet.follow(registry.cluster()).await);
    drop(registry);
    // Who follows is woken before this goes on.
    tokio::task::yield_now().await;
    log.is_one_line_saying(&["default/probe/1", "no longer changes", "endpoints=1"]);
    assert_eq!(cluster.addresses(), [fleet.replicas[0].proxy.address()]);
    assert_eq!(client.write().await.unwrap(), 0);
}

#[tokio::test]
async fn while_an_instance_cannot_be_connected_to_the_registry_is_told_that_its_list_may_be_old() {
    let fleet = Fleet::of(1).await;
    let registry = Published::new(&fleet);
    let mut hints = registry.hints();
    let cluster = registry.cluster().follow().await.unwrap();
    until(|| cluster.stats().endpoints[0].connected).await;
    assert!(hints.next().now_or_never().is_none());

    // Nobody listens at port 1.
    let gone = Instance::new(ServiceKey::new("probe"), "tcp://127.0.0.1:1");
    registry.publish([gone]).await;
    soon(hints.next()).await;
}

#[tokio::test]
async fn a_policy_for_a_method_that_the_trait_does_not_have_is_refused() {
    let fleet = Fleet::of(1).await;
    let cluster = fleet.cluster().method("read", MethodPolicy::new());
    let error = cluster
        .method("raed", MethodPolicy::new())
        .follow()
        .await
        .unwrap_err();
    assert!(matches!(&error, ClusterError::UnknownMethod { method, .. } if method == "raed"));
    assert_eq!(
        error.to_string(),
        "default/probe/1 has no method \"raed\" to have a policy; it has read, write, hedged, once_more, argue"
    );
    // Who names the service only is believed.
    let by_name = Cluster::builder(ServiceKey::new("probe")).registry(&fleet.registry);
    by_name
        .method("raed", MethodPolicy::new())
        .follow()
        .await
        .unwrap();
}
