//! Attempts: races, retries, attempts that are given up, and connections that break off under them.

use std::time::Duration;

use doge_rpc::{
    CallOptions, Code, Status,
    call::CancelReason,
    client::{
        BackupRequest, ClusterBuilder, Failover, HealthConfig, HedgeDelay, RetryBudget, Strategy,
    },
};

use crate::{
    common::{Act, Probe, Replica, soon, until},
    ledger::Entry,
    world::World,
};

/// Waits until the handler of an instance was stopped for this reason.
async fn until_stopped(replica: &Replica, reason: CancelReason) {
    until(|| !replica.handlers.stopped().is_empty()).await;
    assert_eq!(replica.handlers.stopped(), [reason]);
}

#[tokio::test]
async fn the_loser_of_a_race_is_cancelled_and_so_is_told_its_server() {
    let strategy = Strategy::BackupRequest(BackupRequest {
        ratio: 1.0,
        ..BackupRequest::default()
    });
    let mut world = World::of(2, |cluster| cluster.strategy(strategy)).await;
    world.fleet.next(Act::Hang);
    let answer = soon(world.client.hedged()).await;
    world.callers.saw(&answer);
    let winner = &world.fleet.replicas[answer.unwrap()];
    let loser = world.fleet.other(winner);
    until_stopped(loser, CancelReason::HedgeLost).await;

    world.agrees();
    let ended = world.ledger.attempts_ended();
    let lost = &ended
        .iter()
        .find(|(at, _)| *at == loser.proxy.address())
        .unwrap()
        .1;
    assert_eq!(lost.code, Code::Cancelled);
    assert!(
        lost.message.contains("another attempt answered first"),
        "{lost:?}"
    );
    let entries = world.ledger.entries();
    let place = |wanted: &Entry| entries.iter().position(|it| it == wanted).unwrap();
    let hedged = Entry::AttemptStarted(winner.proxy.address(), 1);
    assert!(place(&Entry::Hedge) < place(&hedged) && place(&hedged) < place(&Entry::HedgeWon));
    assert!(
        matches!(entries.last(), Some(Entry::CallEnded(_))),
        "after its attempts"
    );
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_cancelled_for_that() {
    let strategy = Strategy::Failover(Failover {
        attempt_timeout: Some(Duration::from_millis(20)),
        longest_pause: Duration::ZERO,
        ..Failover::default()
    });
    let mut world = World::of(2, |cluster| cluster.strategy(strategy)).await;
    world.fleet.next(Act::Hang);
    let answer = soon(world.client.read(1)).await;
    world.callers.saw(&answer);
    let late = world.fleet.other(&world.fleet.replicas[answer.unwrap()]);
    until_stopped(late, CancelReason::AttemptTimeout).await;
    world.agrees();
    let codes: Vec<_> = world
        .ledger
        .attempts_ended()
        .iter()
        .map(|(_, end)| end.code)
        .collect();
    assert_eq!(codes, [Code::Cancelled, Code::Ok]);
    assert_eq!(world.cluster.stats().retries, 1);
}

#[tokio::test]
async fn a_layered_attempt_ends_at_the_deadline_and_its_server_is_told_so() {
    let plain = tower::layer::layer_fn(|service: doge_rpc::call::BoxedService| service);
    let mut world = World::of(1, |cluster| cluster.attempt_layer(plain)).await;
    world.fleet.all(&Act::Hang);
    let hurried = world
        .client
        .with(CallOptions::new().timeout(Duration::from_millis(40)));
    world.callers.saw(&hurried.read(1).await);
    world.agrees();
    assert_eq!(
        world.ledger.attempts_ended()[0].1.code,
        Code::DeadlineExceeded
    );
    until_stopped(&world.fleet.replicas[0], CancelReason::Deadline).await;
}

#[tokio::test]
async fn retries_that_the_budget_does_not_allow_are_seen() {
    let budget = RetryBudget {
        min_per_second: 0,
        ratio: 0.0,
        ..RetryBudget::default()
    };
    let mut world = World::of(2, |cluster| cluster.retry_budget(budget)).await;
    world.fleet.all(&Act::break_off());
    world.callers.saw(&world.client.read(1).await);
    world.agrees();
    let stats = world.cluster.stats();
    assert_eq!((stats.budget_empty, stats.retries_left), (1, 0));
    let (usual, _) = world.fleet.follow(world.fleet.cluster()).await;
    assert!(usual.stats().retries_left > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_stay_true_while_connections_are_cut_under_calls() {
    let strategy = Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(Duration::from_millis(2)),
        ratio: 1.0,
        ..BackupRequest::default()
    });
    let healthy = HealthConfig {
        consecutive_failures: None,
        ..HealthConfig::default()
    };
    let configure = |cluster: ClusterBuilder| {
        let cluster = cluster.strategy(strategy).health(healthy);
        cluster.timed(true)
    };
    let World {
        fleet,
        ledger,
        mut callers,
        cluster,
        client,
    } = World::of(3, configure).await;
    fleet.all(&Act::Take(Duration::from_millis(1)));
    let calls: Vec<_> = (0..8)
        .map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut codes = Vec::new();
                for call in 0..60 {
                    if (caller + call) % 7 == 0 {
                        // Dropped as soon as it was sent, or later.
                        let time = Duration::from_micros(200 * (call % 8));
                        let answer = tokio::time::timeout(time, client.read(1)).await;
                        codes.push(answer.map_or(Code::Cancelled, |answer| code(&answer)));
                    } else {
                        codes.push(code(&client.hedged().await));
                    }
                }
                codes
            })
        })
        .collect();
    let cutting = async {
        for replica in fleet.replicas.iter().cycle() {
            tokio::time::sleep(Duration::from_millis(7)).await;
            replica.proxy.cut();
            let stats = cluster.stats();
            assert!(stats.attempts_ended.total() <= stats.attempts);
            assert!(stats.calls_ended.total() <= stats.calls);
        }
    };
    let answering = async {
        for call in calls {
            call.await
                .unwrap()
                .into_iter()
                .for_each(|code| callers.saw_code(code));
        }
    };
    tokio::select! {
        () = soon(answering) => {}
        () = cutting => unreachable!("it goes on for ever"),
    }
    // Observers are told of an open connection right before it takes calls.
    let settled = || cluster.stats().endpoints.iter().all(|it| it.connected);
    until(settled).await;
    ledger.agrees(&cluster.stats(), &callers);
    let stats = cluster.stats();
    assert_eq!(stats.calls, 8 * 60);
    let failed: u64 = stats
        .endpoints
        .iter()
        .flat_map(|it| it.failures.values())
        .sum();
    assert_eq!(
        failed,
        stats.attempts_ended.total() - stats.attempts_ended.with(Code::Ok)
    );
    let lost = ledger.count(|entry| matches!(entry, Entry::Closed(..)));
    let opened: u64 = stats.endpoints.iter().map(|it| it.connections).sum();
    assert_eq!(opened - lost, 3, "those that are open");
    assert!(lost > 3);
}

fn code<T>(answer: &Result<T, Status>) -> Code {
    answer.as_ref().map_or_else(Status::code, |_| Code::Ok)
}
