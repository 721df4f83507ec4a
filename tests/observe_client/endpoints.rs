//! What statistics and observers say of endpoints and of their list.

use std::time::Duration;

use doge_rpc::{
    Code, Status,
    client::{Balancing, HealthConfig},
    registry::Snapshot,
};

use crate::{
    common::{Act, Fleet, Probe, Published, until},
    ledger::Entry,
    world::World,
};

#[tokio::test]
async fn an_ejected_endpoint_says_until_when_and_its_return_is_told() {
    let health = HealthConfig {
        consecutive_failures: Some(2),
        consecutive_ejection: Duration::from_millis(300),
        jitter: 0.0,
        ..HealthConfig::default()
    };
    let World {
        fleet,
        ledger,
        cluster,
        client,
        ..
    } = World::of(3, |cluster| cluster.health(health)).await;
    let broken = &fleet.replicas[0];
    broken.handlers.act(Act::Fail(Status::internal("a bug")));
    let address = broken.proxy.address();
    let stats = || {
        let mut endpoints = cluster.stats().endpoints.into_iter();
        endpoints.find(|it| it.address == address).unwrap()
    };
    assert_eq!((stats().ejected, stats().probe_in), (false, None));
    while !stats().ejected {
        let _ = client.read(1).await;
    }
    assert_eq!(ledger.count(|it| *it == Entry::Ejected(address.clone())), 1);
    assert!(stats().probe_in.unwrap() <= Duration::from_millis(300));
    assert!(stats().failures[&Code::Internal] >= 2);
    until(|| ledger.count(|it| *it == Entry::Returned(address.clone())) == 1).await;
    assert_eq!((stats().ejected, stats().probe_in), (false, None));
}

#[tokio::test]
async fn endpoints_say_their_weight_and_zone_and_each_pick_is_told() {
    let mut fleet = Fleet::empty();
    fleet
        .add_as(
            |server| server,
            |instance| instance.with_weight(7).with_zone("north"),
        )
        .await;
    let world = World::with(fleet, |cluster| cluster.balancing(Balancing::default())).await;
    world.client.read(1).await.unwrap();
    let endpoint = &world.cluster.stats().endpoints[0];
    assert_eq!(
        (endpoint.weight, endpoint.zone.as_deref()),
        (7, Some("north"))
    );
    let picked = Entry::Picked(endpoint.address.clone());
    assert_eq!(world.ledger.count(|entry| *entry == picked), 1);
}

#[tokio::test]
async fn a_cluster_of_which_most_is_gone_panics() {
    let mut fleet = Fleet::of(3).await;
    let (cluster, _client) = fleet.follow(fleet.cluster()).await;
    until(|| !cluster.stats().panicking).await;
    for replica in &mut fleet.replicas[1..] {
        drop(replica.server.take());
    }
    until(|| cluster.stats().panicking).await;
}

#[tokio::test]
async fn the_list_says_where_it_comes_from_and_when_it_changed() {
    let fleet = Fleet::of(2).await;
    let published = Published::new(&fleet);
    let instances: Snapshot = fleet
        .replicas
        .iter()
        .map(|it| it.instance.clone())
        .collect();
    published.publish_as_is(instances.clone().restored()).await;
    let cluster = published.cluster().follow().await.unwrap();
    let list = cluster.stats().list;
    assert_eq!(
        (list.instances, list.restored, list.frozen),
        (2, true, false)
    );

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(30)).await;
    assert!(cluster.stats().list.unchanged_for >= Duration::from_secs(30));
    published.publish_as_is(instances).await;
    until(|| !cluster.stats().list.restored).await;
    let list = cluster.stats().list;
    assert!(list.unchanged_for < Duration::from_secs(30) && !list.frozen);
    drop(published);
    until(|| cluster.stats().list.frozen).await;
}
