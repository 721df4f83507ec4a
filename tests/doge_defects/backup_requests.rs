//! Defects 1 to 4: backup requests.

use std::time::{Duration, Instant};

use doge_rpc::{
    CallOptions, Code,
    client::{BackupRequest, HedgeDelay, Strategy},
};

use crate::common::{Act, Fleet, Probe, Trouble, soon, until};

fn after(delay: Duration, ratio: f64) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(delay),
        ratio,
        ..BackupRequest::default()
    })
}

const DELAY: Duration = Duration::from_millis(10);

// Both replicas took 25 ms, and the call failed as timed out after 21 ms.
#[tokio::test]
async fn defect_01_two_slow_instances_are_waited_for() {
    let fleet = Fleet::of(2).await;
    let strategy = after(DELAY, 1.0);
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(100)));
    soon(client.read(1)).await.unwrap();
    assert_eq!(cluster.stats().hedges, 1);
}

// The primary was done while the call waited for a slow backup, and nobody looked.
#[tokio::test]
async fn defect_01_a_primary_that_ends_while_the_backup_runs_is_used() {
    let fleet = Fleet::of(2).await;
    let strategy = after(DELAY, 1.0);
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.next(Act::Gate);
    fleet.next(Act::Hang);
    let call = tokio::spawn(async move { client.read(1).await });
    for replica in &fleet.replicas {
        replica.handlers.until_running(1).await;
    }
    let is_primary = |number: &usize| !fleet.replicas[*number].handlers.seen()[0].retry;
    let primary = (0..2).find(is_primary).unwrap();
    fleet.replicas[primary].handlers.open_gate();
    assert_eq!(soon(call).await.unwrap().unwrap(), primary);
}

// The only instance took 25 ms, and the call failed after 11 ms.
#[tokio::test]
async fn defect_01_a_single_slow_instance_is_waited_for() {
    let fleet = Fleet::of(1).await;
    let strategy = after(DELAY, 1.0);
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(100)));
    soon(client.read(1)).await.unwrap();
    assert_eq!(cluster.stats().attempts, 1);
}

// Without a backup in the budget, a call of 15 ms failed as timed out after 11 ms, with the primary in flight.
#[tokio::test]
async fn defect_02_an_empty_budget_leaves_the_primary_its_time() {
    let fleet = Fleet::of(2).await;
    let strategy = after(Duration::from_millis(1), 0.0);
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(15)));
    for _ in 0..20 {
        soon(client.read(1)).await.unwrap();
    }
    let stats = cluster.stats();
    assert_eq!((stats.attempts, stats.hedges), (20, 0));
}

// A limit of 30 ms took 131 ms: the wait for a backup caught the timeout of the whole call.
#[tokio::test]
async fn defect_03_the_deadline_ends_the_call_whatever_its_attempts_do() {
    let fleet = Fleet::of(3).await;
    fleet.all(&Act::Hang);
    let strategy = after(DELAY, 1.0);
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    let limit = Duration::from_millis(100);
    let started = Instant::now();
    let hurried = client.with(CallOptions::new().timeout(limit));
    let status = soon(hurried.read(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    // Wide, for a machine that is busy; nothing else would end this call at all.
    assert!(started.elapsed() < limit * 20, "{:?}", started.elapsed());
}

// An error of the application became "request timeout", and was asked of a second instance.
#[tokio::test]
async fn defect_03_an_error_stays_what_it_is_and_goes_nowhere_else() {
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::break_off());
    let strategy = after(Duration::from_secs(3600), 1.0);
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    let error = client.argue().await.unwrap_err();
    assert!(matches!(error, Trouble::No(_)), "{error}");
    assert_eq!((fleet.total(), cluster.stats().attempts), (1, 1));
}

// "15 %" were 15 backups per window: at low traffic, each of ten calls had one.
#[tokio::test]
async fn defect_04_the_ratio_of_backups_is_one_of_calls() {
    let fleet = Fleet::of(2).await;
    let strategy = after(Duration::from_millis(1), 0.15);
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(15)));
    for _ in 0..10 {
        soon(client.read(1)).await.unwrap();
    }
    assert_eq!(cluster.stats().hedges, 1);
}

// The slower of the two attempts went on to its end.
#[tokio::test]
async fn defect_04_the_loser_is_cancelled() {
    let fleet = Fleet::of(2).await;
    let strategy = after(DELAY, 1.0);
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.next(Act::Hang);
    let winner = soon(client.read(1)).await.unwrap();
    let loser = &fleet.replicas[1 - winner].handlers;
    assert_eq!(loser.started(), 1);
    until(|| loser.running() == 0).await;
}
