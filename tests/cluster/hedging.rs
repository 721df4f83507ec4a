//! A second attempt while the first is still out.

use std::time::Duration;

use doge_rpc::{
    CallOptions, Code, Status,
    client::{BackupRequest, Balancing, HedgeDelay, LoadBalancing, Strategy},
};

use crate::common::{Act, Fleet, Probe, Replica, soon};

/// After this time, and as often as there is reason to.
fn always(delay: Duration) -> Strategy {
    Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(delay),
        ratio: 1.0,
        ..BackupRequest::default()
    })
}

/// The delay is what the trait declares, where it declares one.
fn hedging(fleet: &Fleet) -> doge_rpc::client::ClusterBuilder {
    fleet.cluster().strategy(always(Duration::from_secs(3600)))
}

/// The instances of the first attempt and of the hedge, once both run.
async fn racing(fleet: &Fleet) -> (&Replica, &Replica) {
    for replica in &fleet.replicas {
        replica.handlers.until_running(1).await;
    }
    let (one, other) = (&fleet.replicas[0], &fleet.replicas[1]);
    let is_hedge = |replica: &Replica| replica.handlers.seen().last().unwrap().retry;
    assert_ne!(is_hedge(one), is_hedge(other));
    if is_hedge(one) {
        (other, one)
    } else {
        (one, other)
    }
}

#[tokio::test]
async fn a_slow_instance_is_overtaken_and_its_handler_is_cancelled() {
    let fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(hedging(&fleet)).await;
    fleet.next(Act::Hang);
    let started = std::time::Instant::now();
    let answer = soon(client.hedged()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(20));

    let loser = fleet.other(&fleet.replicas[answer]);
    assert_eq!(loser.handlers.started(), 1);
    loser.handlers.until_running(0).await;
    let hedge = &fleet.replicas[answer].handlers.seen()[0];
    assert_eq!((hedge.number, hedge.retry), (1, true));
    let stats = cluster.stats();
    assert_eq!((stats.attempts, stats.hedges, stats.hedges_won), (2, 1, 1));
}

#[tokio::test]
async fn when_both_are_slow_whichever_is_first_answers() {
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::Gate);
    let (cluster, client) = fleet.follow(hedging(&fleet)).await;
    for hedge_wins in [false, true] {
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.hedged().await }
        });
        let (first, hedge) = racing(&fleet).await;
        let (winner, loser) = match hedge_wins {
            true => (hedge, first),
            false => (first, hedge),
        };
        winner.handlers.open_gate();
        let answer = soon(call).await.unwrap().unwrap();
        assert_eq!(answer, winner.handlers.number());
        loser.handlers.until_running(0).await;
    }
    let stats = cluster.stats();
    assert_eq!((stats.hedges, stats.hedges_won), (2, 1));
}

#[tokio::test]
async fn a_hedge_that_fails_leaves_the_first_attempt_running() {
    let fleet = Fleet::of(2).await;
    let (_cluster, client) = fleet.follow(hedging(&fleet)).await;
    fleet.next(Act::Gate);
    fleet.next(Act::break_off());
    let call = tokio::spawn(async move { client.hedged().await });
    let first = fleet.first_running().await;
    let hedge = fleet.other(first);
    crate::common::until(|| hedge.handlers.started() == 1).await;
    hedge.handlers.until_running(0).await;
    first.handlers.open_gate();
    let answer = soon(call).await.unwrap().unwrap();
    assert_eq!(answer, first.handlers.number());
}

#[tokio::test]
async fn a_method_that_is_not_idempotent_is_never_hedged() {
    let fleet = Fleet::of(2).await;
    let strategy = always(Duration::from_millis(1));
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(100)));
    soon(client.write()).await.unwrap();
    assert_eq!((fleet.total(), cluster.stats().hedges), (1, 0));
    soon(client.read(1)).await.unwrap();
    assert_eq!(
        (fleet.total(), cluster.stats().hedges),
        (3, 1),
        "an idempotent one is"
    );
}

#[tokio::test]
async fn without_credit_a_call_waits_on_for_its_first_attempt() {
    let fleet = Fleet::of(2).await;
    let strategy = Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(Duration::from_millis(1)),
        ratio: 0.1,
        ..BackupRequest::default()
    });
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.all(&Act::Take(Duration::from_millis(20)));
    for _ in 0..25 {
        soon(client.read(1)).await.unwrap();
    }
    let stats = cluster.stats();
    assert_eq!((stats.calls, stats.hedges, stats.attempts), (25, 2, 27));
}

#[tokio::test]
async fn a_stopped_instance_slows_calls_down_by_the_delay_and_no_more() {
    let fleet = Fleet::of(3).await;
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        ..Balancing::default()
    };
    let strategy = always(Duration::from_millis(50));
    let builder = fleet.cluster().balancing(balancing).strategy(strategy);
    let (cluster, client) = fleet.follow(builder).await;
    fleet.replicas[0].proxy.freeze();
    // Less than any number of attempts at what is stopped would take.
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(3)));
    for _ in 0..9 {
        let answer = soon(client.read(1)).await.unwrap();
        assert_ne!(answer, 0);
    }
    let stats = cluster.stats();
    assert!(stats.hedges_won >= 1, "{stats:?}");
    fleet.replicas[0].proxy.thaw();
}

#[tokio::test]
async fn hedges_end_with_the_deadline_too() {
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::Hang);
    let (_cluster, client) = fleet.follow(hedging(&fleet)).await;
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(400)));
    let status = soon(hurried.hedged()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(fleet.started(), [1, 1]);
    for replica in &fleet.replicas {
        replica.handlers.until_running(0).await;
    }
}

#[tokio::test]
async fn a_hedge_does_not_go_where_no_first_attempt_would() {
    // To one of weight 0.
    let mut fleet = Fleet::of(1).await;
    fleet
        .add_as(|server| server, |instance| instance.with_weight(0))
        .await;
    fleet.all(&Act::Take(Duration::from_millis(60)));
    let (cluster, client) = fleet.follow(hedging(&fleet)).await;
    for _ in 0..3 {
        assert_eq!(client.hedged().await.unwrap(), 0);
    }
    assert_eq!((fleet.started(), cluster.stats().hedges), (vec![3, 0], 0));

    // To one that asked to be left alone.
    let fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(hedging(&fleet)).await;
    let full = Status::resource_exhausted("full").with_pushback(Duration::from_secs(60));
    fleet.next(Act::Fail(full));
    assert_eq!(
        client.hedged().await.unwrap_err().code(),
        Code::ResourceExhausted
    );
    let full = fleet
        .started()
        .iter()
        .position(|calls| *calls == 1)
        .unwrap();
    fleet.all(&Act::Take(Duration::from_millis(60)));
    for _ in 0..3 {
        assert_ne!(client.hedged().await.unwrap(), full);
    }
    assert_eq!(fleet.started()[full], 1);
    assert_eq!(cluster.stats().hedges, 0);
}

#[tokio::test]
async fn an_instance_of_an_older_version_fails_no_call() {
    use doge_rpc::{
        prelude::*,
        registry::{Instance, ServiceKey},
    };

    #[service(name = "probe")]
    trait Older {
        async fn other(&self) -> Result<usize, Status>;
    }
    struct Old;
    impl Older for Old {
        async fn other(&self) -> Result<usize, Status> {
            Ok(7)
        }
    }
    let fleet = Fleet::of(1).await;
    let (cluster, client) = fleet.follow(hedging(&fleet)).await;
    let server = Server::builder().add(OlderServer::new(Old));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let old = Instance::new(ServiceKey::new("probe"), server.address().to_string());
    let _registration = fleet.registry.register(old).await.unwrap();
    let connected = || {
        let endpoints = cluster.stats().endpoints;
        endpoints.iter().filter(|it| it.connected).count()
    };
    crate::common::until(|| connected() == 2).await;
    fleet.all(&Act::Take(Duration::from_millis(40)));
    for _ in 0..10 {
        assert_eq!(client.hedged().await.unwrap(), 0);
        assert_eq!(client.write().await.unwrap(), 0);
    }
    assert_eq!(fleet.total(), 20);
}
