//! Where calls go when all is well, policy by policy.

use std::{collections::HashSet, time::Duration};

use doge_rpc::{
    CallOptions,
    client::{Balancing, ConsistentHash, HashKey, LoadBalancing},
    registry::Instance,
};
use futures_util::future::join_all;

use crate::common::{Act, Fleet, Probe, ProbeClient, Published, until, until_called};

fn all_at_once(policy: LoadBalancing) -> Balancing {
    Balancing {
        policy,
        slow_start: None,
        ..Balancing::default()
    }
}

async fn three(balancing: Balancing) -> (Fleet, ProbeClient) {
    let fleet = Fleet::of(3).await;
    let (_, client) = fleet.follow(fleet.cluster().balancing(balancing)).await;
    (fleet, client)
}

#[tokio::test]
async fn round_robin_takes_each_in_turn() {
    let (fleet, client) = three(all_at_once(LoadBalancing::RoundRobin)).await;
    for _ in 0..30 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [10, 10, 10]);
}

#[tokio::test]
async fn weighted_takes_each_by_its_weight() {
    let mut fleet = Fleet::empty();
    for weight in [100, 200, 300] {
        fleet
            .add_as(|server| server, |it| it.with_weight(weight))
            .await;
    }
    let balancing = all_at_once(LoadBalancing::Weighted);
    let (_, client) = fleet.follow(fleet.cluster().balancing(balancing)).await;
    for _ in 0..60 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [10, 20, 30]);
}

#[tokio::test]
async fn a_weight_that_changes_counts_from_then_on() {
    let fleet = Fleet::of(2).await;
    let registry = Published::new(&fleet);
    let builder = registry
        .cluster()
        .balancing(all_at_once(LoadBalancing::Weighted));
    let (_, client) = fleet.follow(builder).await;
    for _ in 0..10 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [5, 5]);

    let [first, second] = [0, 1].map(|index: usize| fleet.replicas[index].instance.clone());
    registry.publish([first.with_weight(300), second]).await;
    for _ in 0..40 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [5 + 30, 5 + 10]);
    for replica in &fleet.replicas {
        assert_eq!(replica.proxy.accepted(), 1, "over the same connection");
    }
}

#[tokio::test]
async fn an_instance_of_weight_0_takes_calls_only_when_no_other_can() {
    for policy in [
        LoadBalancing::PeakEwma,
        LoadBalancing::LeastActive,
        LoadBalancing::Weighted,
        LoadBalancing::Random,
    ] {
        let mut fleet = Fleet::of(1).await;
        fleet.add_as(|server| server, |it| it.with_weight(0)).await;
        let builder = fleet.cluster().balancing(all_at_once(policy.clone()));
        let (_, client) = fleet.follow(builder).await;
        for _ in 0..30 {
            client.write().await.unwrap();
        }
        assert_eq!(fleet.started(), [30, 0], "{policy:?}");
        fleet.replicas[0].server.take();
        fleet.replicas[0].proxy.cut();
        until_called(async || client.write().await.ok() == Some(1)).await;
    }
}

#[tokio::test]
async fn least_active_fills_all_alike() {
    let (fleet, client) = three(all_at_once(LoadBalancing::LeastActive)).await;
    fleet.all(&Act::Gate);
    let calls: Vec<_> = (0..30)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.write().await })
        })
        .collect();
    until(|| fleet.total() == 30).await;
    assert_eq!(fleet.started(), [10, 10, 10]);
    until(|| {
        fleet.replicas.iter().for_each(|it| it.handlers.open_gate());
        calls.iter().all(tokio::task::JoinHandle::is_finished)
    })
    .await;
}

#[tokio::test]
async fn random_reaches_all() {
    let (fleet, client) = three(all_at_once(LoadBalancing::Random)).await;
    for _ in 0..30 {
        for answer in join_all((0..10).map(|_| client.write())).await {
            answer.unwrap();
        }
    }
    // Five standard deviations below the hundred that are due.
    let started = fleet.started();
    assert!(started.iter().all(|calls| *calls > 59), "{started:?}");
}

#[tokio::test]
async fn peak_ewma_spreads_over_equals_and_avoids_the_slow() {
    let (fleet, client) = three(all_at_once(LoadBalancing::PeakEwma)).await;
    fleet.all(&Act::Take(Duration::from_millis(20)));
    for answer in join_all((0..60).map(|_| client.write())).await {
        answer.unwrap();
    }
    let spread = fleet.started();
    assert!(spread.iter().all(|calls| *calls >= 10), "{spread:?}");

    fleet.all(&Act::Take(Duration::from_millis(5)));
    fleet.replicas[1]
        .handlers
        .act(Act::Take(Duration::from_millis(400)));
    for _ in 0..20 {
        for answer in join_all((0..5).map(|_| client.write())).await {
            answer.unwrap();
        }
    }
    let slow = fleet.started()[1] - spread[1];
    assert!(slow < 25, "{slow} of 100");
}

#[tokio::test]
async fn equal_keys_go_to_one_instance_by_metadata() {
    let hash = ConsistentHash::by(HashKey::Metadata("tenant".into()));
    let (fleet, client) = three(all_at_once(LoadBalancing::ConsistentHash(hash))).await;
    let mut used = HashSet::new();
    for tenant in 0..30 {
        let options = CallOptions::new().metadata("tenant", format!("tenant {tenant}"));
        let tenant = client.with(options.unwrap());
        let number = tenant.write().await.unwrap();
        for key in 0..5 {
            assert_eq!(tenant.read(key).await.unwrap(), number);
        }
        used.insert(number);
    }
    assert_eq!(used.len(), 3, "{:?}", fleet.started());
}

#[tokio::test]
async fn equal_keys_go_to_one_instance_by_argument_whoever_calls() {
    let by_key = || {
        let hash = ConsistentHash::by(HashKey::Argument("key".into()));
        all_at_once(LoadBalancing::ConsistentHash(hash))
    };
    let mut fleet = Fleet::of(3).await;
    let (cluster, one) = fleet.follow(fleet.cluster().balancing(by_key())).await;
    let (_, other) = fleet.follow(fleet.cluster().balancing(by_key())).await;
    let mut places = Vec::new();
    for key in 0..30 {
        let number = one.read(key).await.unwrap();
        assert_eq!(other.read(key).await.unwrap(), number);
        assert_eq!(one.read(key).await.unwrap(), number);
        places.push(number);
    }
    assert_eq!(places.iter().collect::<HashSet<_>>().len(), 3);

    // One leaves: only its keys move.
    let gone = &mut fleet.replicas[0];
    gone.registration.take().unwrap().leave().await.unwrap();
    until(|| cluster.addresses().len() == 2).await;
    for (key, before) in (0..).zip(places) {
        let now = one.read(key).await.unwrap();
        assert!(now != 0 && (before == 0 || now == before), "{key}");
    }
}

#[tokio::test]
async fn what_is_on_this_machine_comes_first() {
    let mut fleet = Fleet::empty();
    // A name, which could be anywhere: only addresses are known to be here.
    let far = |it: Instance| {
        let address = it.address().replace("127.0.0.1", "127.1");
        Instance::new(it.key().clone(), address).with_zone("a")
    };
    fleet.add_as(|server| server, far).await;
    fleet.add_as(|server| server, |it| it.with_zone("b")).await;
    let balancing = Balancing {
        prefer_local: true,
        zone: Some("a".into()),
        ..all_at_once(LoadBalancing::RoundRobin)
    };
    let (_, client) = fleet.follow(fleet.cluster().balancing(balancing)).await;
    for _ in 0..20 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [0, 20], "it comes before the zone, too");

    fleet.replicas[1].server.take();
    fleet.replicas[1].proxy.cut();
    until_called(async || client.write().await.ok() == Some(0)).await;
}

#[tokio::test]
async fn what_is_in_the_same_zone_comes_first() {
    let mut fleet = Fleet::empty();
    for zone in ["a", "b", "a"] {
        fleet.add_as(|server| server, |it| it.with_zone(zone)).await;
    }
    let balancing = Balancing {
        zone: Some("a".into()),
        ..all_at_once(LoadBalancing::RoundRobin)
    };
    let (_, client) = fleet.follow(fleet.cluster().balancing(balancing)).await;
    for _ in 0..20 {
        client.write().await.unwrap();
    }
    assert_eq!(fleet.started(), [10, 0, 10]);

    // Nobody left there: better far than nowhere.
    for index in [0, 2] {
        fleet.replicas[index].server.take();
        fleet.replicas[index].proxy.cut();
    }
    until_called(async || client.write().await.ok() == Some(1)).await;
}

#[tokio::test]
async fn a_subset_is_all_that_a_client_uses() {
    let fleet = Fleet::of(5).await;
    let balancing = Balancing {
        subset: Some(2),
        ..all_at_once(LoadBalancing::RoundRobin)
    };
    let cluster = fleet.cluster().balancing(balancing).follow().await.unwrap();
    assert_eq!(cluster.addresses().len(), 2);
    until(|| cluster.stats().endpoints.iter().all(|it| it.connected)).await;
    let client = ProbeClient::new(cluster);
    for _ in 0..20 {
        client.write().await.unwrap();
    }
    let mut started = fleet.started();
    started.sort_unstable();
    assert_eq!(started, [0, 0, 0, 10, 10]);
    let connections = fleet.replicas.iter().map(|it| it.proxy.accepted());
    assert_eq!(connections.sum::<usize>(), 2);
}
