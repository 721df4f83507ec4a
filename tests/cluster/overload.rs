//! An instance that has too much to do is left alone for as long as it asks for, and is no sick one.

use std::time::{Duration, Instant};

use doge_rpc::{
    Status,
    client::{Balancing, Cluster, LoadBalancing},
};

use crate::common::{Act, Fleet, Probe, ProbeClient, patient, soon, until, until_called};

/// What a server asks for that is full.
const PUSHBACK: Duration = Duration::from_millis(100);

/// Two instances, the first of which takes one call at a time and is busy with one.
async fn one_is_full() -> (Fleet, tokio::task::JoinHandle<()>) {
    let mut fleet = Fleet::empty();
    fleet.add_as(|server| server.max_calls(1), |it| it).await;
    fleet.add().await;
    let full = &fleet.replicas[0];
    full.handlers.act(Act::Gate);
    let busy = ProbeClient::connect(full.proxy.address()).unwrap();
    let busy = tokio::spawn(async move {
        busy.with(patient()).write().await.unwrap();
    });
    full.handlers.until_running(1).await;
    full.handlers.act(Act::Answer);
    (fleet, busy)
}

async fn in_turn(fleet: &Fleet) -> (Cluster, ProbeClient) {
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        ..Balancing::default()
    };
    fleet.follow(fleet.cluster().balancing(balancing)).await
}

#[tokio::test]
async fn refused_calls_move_and_the_pushback_is_kept_to() {
    let (fleet, busy) = one_is_full().await;
    let (cluster, client) = in_turn(&fleet).await;
    let (started, mut calls) = (Instant::now(), 0);
    while started.elapsed() < PUSHBACK * 3 {
        // Refused before they ran, so that it does not matter whether they are idempotent.
        let (read, write) = tokio::join!(client.read(1), client.write());
        assert_eq!((read.unwrap(), write.unwrap()), (1, 1));
        calls += 2;
    }
    let refused = cluster.stats().attempts - calls;
    // In each stretch of time so long, one call is refused, and one more that was on its way then.
    let most = 2 * (1 + started.elapsed().as_millis() / PUSHBACK.as_millis());
    assert!(refused >= 1, "it was asked at all");
    assert!(
        u128::from(refused) <= most,
        "{refused} of {calls} calls, at most {most}"
    );

    fleet.replicas[0].handlers.open_gate();
    soon(busy).await.unwrap();
}

#[tokio::test]
async fn an_overloaded_instance_is_not_ejected_and_gets_calls_once_it_has_room() {
    let (fleet, busy) = one_is_full().await;
    let (cluster, client) = in_turn(&fleet).await;
    let before = cluster.stats().attempts;
    let mut calls = 0;
    until_called(async || {
        client.read(1).await.unwrap();
        calls += 1;
        // One more than there may be failures in a row.
        cluster.stats().attempts - before - calls >= 6
    })
    .await;
    let stats = cluster.stats();
    assert_eq!(stats.ejections, 0);
    assert!(stats.endpoints.iter().all(|endpoint| !endpoint.ejected));

    fleet.replicas[0].handlers.open_gate();
    soon(busy).await.unwrap();
    until_called(async || client.read(1).await.unwrap() == 0).await;
}

#[tokio::test]
async fn a_handler_that_meets_a_limit_of_its_own_overloads_nobody() {
    let fleet = Fleet::of(2).await;
    let (_cluster, client) = in_turn(&fleet).await;
    let quota = Status::resource_exhausted("this user has no quota left");
    fleet.all(&Act::Fail(quota));
    for _ in 0..20 {
        client.read(1).await.unwrap_err();
    }
    assert_eq!(fleet.started(), [10, 10], "and each once");
}

#[tokio::test]
async fn when_all_are_full_the_caller_is_told_so_and_when_to_come_back() {
    let mut fleet = Fleet::empty();
    for _ in 0..2 {
        fleet.add_as(|server| server.max_calls(1), |it| it).await;
    }
    fleet.all(&Act::Gate);
    let (cluster, client) = in_turn(&fleet).await;
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.write().await })
        })
        .collect();
    for replica in &fleet.replicas {
        replica.handlers.until_running(1).await;
    }
    let status = soon(client.write()).await.unwrap_err();
    assert_eq!(status.code(), doge_rpc::Code::ResourceExhausted);
    assert!(status.never_ran());
    assert_eq!(status.pushback(), Some(PUSHBACK));
    assert_eq!(cluster.stats().attempts, 2 + 2, "each was asked once");
    for replica in &fleet.replicas {
        replica.handlers.open_gate();
    }
    for call in busy {
        soon(call).await.unwrap().unwrap();
    }
    until(|| fleet.replicas.iter().all(|it| it.handlers.running() == 0)).await;
}
