//! Connections of a cluster, which observers are told of as open and as closed.

use std::sync::Arc;

use doge_rpc::client::ChannelPool;

use crate::{
    common::{Fleet, Probe, soon, until},
    ledger::{Entry, Ledger},
    world::World,
};

fn closed(ledger: &Ledger) -> Vec<String> {
    let entries = ledger.entries().into_iter();
    let closed = entries.filter_map(|entry| match entry {
        Entry::Closed(_, why) => Some(why),
        _ => None,
    });
    closed.collect()
}

fn opened(ledger: &Ledger) -> u64 {
    ledger.count(|entry| matches!(entry, Entry::Opened(_)))
}

#[tokio::test]
async fn why_a_connection_is_closed_is_told() {
    let World {
        mut fleet,
        ledger,
        cluster,
        client,
        ..
    } = World::of(1, |cluster| cluster).await;
    client.read(1).await.unwrap();
    assert_eq!((opened(&ledger), closed(&ledger).len()), (1, 0));

    fleet.replicas[0].proxy.cut();
    until(|| closed(&ledger) == ["the server closed the connection"]).await;
    until(|| opened(&ledger) == 2).await;

    // A server that drains says so.
    let server = fleet.replicas[0].server.take().unwrap();
    soon(server.drain()).await;
    until(|| closed(&ledger).len() == 2).await;
    assert!(
        closed(&ledger)[1].contains("goes away"),
        "{:?}",
        closed(&ledger)
    );
    until(|| ledger.count(|it| matches!(it, Entry::ConnectFailed(_))) > 0).await;
    assert!(!cluster.stats().endpoints[0].connected);
}

#[tokio::test]
async fn dropping_the_cluster_closes_its_connections_and_tells() {
    let World {
        fleet: _fleet,
        ledger,
        cluster,
        client,
        ..
    } = World::of(2, |cluster| cluster).await;
    drop((cluster, client));
    until(|| closed(&ledger) == ["the channel was closed"; 2]).await;
    assert_eq!(opened(&ledger), 2);
}

#[tokio::test]
async fn of_a_shared_connection_each_cluster_is_told_once() {
    let (fleet, pool) = (Fleet::of(1).await, ChannelPool::default());
    let (first, second) = (Ledger::new(), Ledger::new());
    let cluster = |ledger: &Arc<Ledger>| fleet.cluster().pool(&pool).observer(Arc::clone(ledger));
    let (one, _one) = fleet.follow(cluster(&first)).await;
    let (other, _other) = fleet.follow(cluster(&second)).await;
    assert_eq!(
        (opened(&first), opened(&second)),
        (1, 1),
        "it is open for both"
    );
    for stats in [one.stats(), other.stats()] {
        assert_eq!(stats.endpoints[0].connections, 1);
    }
    drop((one, _one));
    fleet.replicas[0].proxy.cut();
    until(|| (closed(&first).len(), closed(&second).len()) == (1, 1)).await;
    until(|| opened(&second) == 2).await;
    assert_eq!(opened(&first), 1, "that cluster is gone");
}

#[tokio::test]
async fn connections_of_messagepack_rpc_are_told_one_by_one() {
    let (fleet, ledger) = (Fleet::of(1).await, Ledger::new());
    let address = fleet.replicas[0]
        .proxy
        .address()
        .replace("tcp://", "doge://");
    let registry: Arc<dyn doge_rpc::registry::Registry> =
        Arc::new(doge_rpc::registry::Static::addresses([address.clone()]));
    let builder = crate::common::ProbeClient::cluster().registry(&registry);
    let builder = builder
        .pool(&ChannelPool::default())
        .observer(Arc::clone(&ledger));
    let cluster = builder.follow().await.unwrap();
    let client = crate::common::ProbeClient::new(cluster.clone()).with(crate::common::patient());
    fleet.all(&crate::common::Act::Gate);
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.read(1).await })
        })
        .collect();
    fleet.replicas[0].handlers.until_running(3).await;
    assert_eq!((opened(&ledger), closed(&ledger).len()), (3, 0));
    assert_eq!(cluster.stats().endpoints[0].connections, 3);
    calls[0].abort();
    until(|| closed(&ledger) == ["its call was given up"]).await;
    for _ in 0..2 {
        fleet.replicas[0].handlers.open_gate();
    }
    for call in calls.into_iter().skip(1) {
        soon(call).await.unwrap().unwrap();
    }
    drop((cluster, client));
    until(|| closed(&ledger).len() == 3).await;
    assert_eq!(closed(&ledger)[1..], ["the channel was closed"; 2]);
    assert_eq!(opened(&ledger), 3);
}
