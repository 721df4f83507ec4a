//! What went wrong in Motan, as far as it applies.

use std::time::{Duration, Instant};

use doge_rpc::{
    CallOptions, Code,
    client::{
        BackupRequest, Balancing, ConsistentHash, Failover, HashKey, HedgeDelay, LoadBalancing,
        Strategy,
    },
};

use crate::common::{Act, Fleet, Probe, ProbeClient, Published, patient, soon, until};

fn backup(retries: u32) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(Duration::from_millis(10)),
        ratio: 1.0,
        failover: Failover {
            retries,
            ..Failover::default()
        },
        ..BackupRequest::default()
    })
}

// Go, backup request (a) and (b): when the last attempt had failed, the call waited for its whole deadline, and then
// said "timeout".
#[tokio::test]
async fn when_both_attempts_failed_the_call_ends_with_what_went_wrong() {
    let fleet = Fleet::of(2).await;
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(backup(0))).await;
    fleet.next(Act::Gate);
    fleet.next(Act::break_off());
    fleet.all(&Act::break_off());
    let started = Instant::now();
    let call = tokio::spawn(async move { client.read(1).await });
    let first = fleet.first_running().await;
    until(|| fleet.total() == 2).await;
    first.proxy.cut();
    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(started.elapsed() < crate::common::LIMIT / 2);
}

// Go, backup request (c): a last attempt that failed at once gave up the earlier one, which was still running.
#[tokio::test]
async fn a_backup_that_fails_leaves_the_first_attempt_running() {
    let fleet = Fleet::of(2).await;
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(backup(0))).await;
    fleet.next(Act::Gate);
    fleet.next(Act::break_off());
    let call = tokio::spawn(async move { client.read(1).await });
    let first = fleet.first_running().await;
    until(|| fleet.total() == 2).await;
    first.handlers.open_gate();
    assert_eq!(soon(call).await.unwrap().unwrap(), first.handlers.number());
}

// Go: a full server dropped requests without an answer, and callers waited for their deadline.
#[tokio::test]
async fn a_full_server_says_so_at_once() {
    let mut fleet = Fleet::empty();
    fleet.add_as(|server| server.max_calls(1), |it| it).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    fleet.all(&Act::Gate);
    let busy = tokio::spawn({
        let client = client.clone();
        async move { client.write().await }
    });
    fleet.replicas[0].handlers.until_running(1).await;
    let started = Instant::now();
    let status = soon(client.write()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    assert!(started.elapsed() < crate::common::LIMIT / 2);
    fleet.replicas[0].handlers.open_gate();
    soon(busy).await.unwrap().unwrap();
}

// Java, `consistent`: the list was shuffled anew by each client and at each change, so that all keys moved.
#[tokio::test]
async fn a_key_stays_when_instances_change_and_is_the_same_for_all_clients() {
    let fleet = Fleet::of(4).await;
    let registry = Published::new(&fleet);
    let by_key = || {
        let hash = ConsistentHash::by(HashKey::Argument("key".into()));
        let policy = LoadBalancing::ConsistentHash(hash);
        Balancing {
            policy,
            ..Balancing::default()
        }
    };
    let (cluster, one) = fleet.follow(registry.cluster().balancing(by_key())).await;
    let (_, other) = fleet.follow(registry.cluster().balancing(by_key())).await;
    let keys = 0..40;
    let mut places = Vec::new();
    for key in keys.clone() {
        let place = one.read(key).await.unwrap();
        assert_eq!(other.read(key).await.unwrap(), place);
        places.push(place);
    }
    let all: Vec<_> = fleet
        .replicas
        .iter()
        .map(|it| it.instance.clone())
        .collect();
    // Told again in another order, and then one short.
    registry.publish(all.iter().rev().cloned()).await;
    for key in keys.clone() {
        assert_eq!(one.read(key).await.unwrap(), places[key as usize]);
    }
    registry.publish(all[..3].iter().cloned()).await;
    until(|| cluster.addresses().len() == 3).await;
    for key in keys {
        let (before, now) = (places[key as usize], one.read(key).await.unwrap());
        assert!(now != 3 && (before == 3 || before == now), "{key}");
    }
}

// Java, ZooKeeper: a client that was done with a service never stopped watching it.
#[tokio::test]
async fn a_cluster_that_is_dropped_watches_nothing() {
    let fleet = Fleet::of(1).await;
    let registry = Published::new(&fleet);
    let (cluster, client) = fleet.follow(registry.cluster()).await;
    client.read(1).await.unwrap();
    assert!(registry.is_watched());
    drop(client);
    assert!(registry.is_watched());
    drop(cluster);
    until(|| !registry.is_watched()).await;
    fleet.replicas[0].proxy.until_open(0).await;
}

// Motan2 on the wire: keys and values were lines, so that a value with a line break made entries of its own.
#[tokio::test]
async fn a_line_break_in_metadata_is_a_part_of_its_value() {
    let fleet = Fleet::of(1).await;
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let value = "acme\nrole\nadmin";
    let options = CallOptions::new().metadata("tenant", value).unwrap();
    client.with(options).write().await.unwrap();
    let handlers = &fleet.replicas[0].handlers;
    assert_eq!(handlers.metadata("tenant").as_deref(), Some(value));
    assert_eq!(handlers.metadata("role"), None);
    assert!(CallOptions::new().metadata("tenant\nrole", "x").is_err());
}

// Java: with each attempt given the whole timeout, a call took that many times as long as it was allowed to.
#[tokio::test]
async fn all_attempts_together_keep_to_one_deadline() {
    let fleet = Fleet::of(3).await;
    fleet.all(&Act::Hang);
    let strategy = Strategy::Failover(Failover {
        retries: 5,
        attempt_timeout: Some(Duration::from_millis(150)),
        first_pause: Duration::ZERO,
        ..Failover::default()
    });
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(200)));
    let status = soon(hurried.read(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(fleet.total() <= 2, "{:?}", fleet.started());
}

// All three: a client's snapshot of a service changed only with the registry, so that what had died still got calls.
#[tokio::test]
async fn an_instance_that_dies_gets_no_calls_though_the_registry_still_has_it() {
    let mut fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    fleet.replicas[0].server.take();
    fleet.replicas[0].proxy.cut();
    until(|| cluster.stats().endpoints.iter().any(|it| !it.connected)).await;
    let client = ProbeClient::with(&client, patient());
    let before = cluster.stats().attempts;
    for _ in 0..50 {
        assert_eq!(client.write().await.unwrap(), 1);
    }
    assert_eq!(cluster.stats().attempts, before + 50);
}
