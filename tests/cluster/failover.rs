//! A call whose attempt fails goes on elsewhere, as far as that is safe and no further than the budget.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    client::{Failover, HealthConfig, RetryBudget, Strategy},
    prelude::*,
    registry::Static,
};

use crate::common::{Act, Fleet, Probe, ProbeClient, Proxy, Seen, patient, soon};

fn seen(method: &'static str, number: u8, retry: bool) -> Seen {
    Seen {
        method,
        number,
        retry,
    }
}

fn at_once(retries: u32) -> Strategy {
    Strategy::Failover(Failover {
        retries,
        first_pause: Duration::ZERO,
        ..Failover::default()
    })
}

#[tokio::test]
async fn an_idempotent_call_whose_connection_is_cut_succeeds_elsewhere_marked_as_a_retry() {
    let fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    fleet.next(Act::Hang);
    let call = tokio::spawn(async move { client.read(1).await });
    let first = fleet.first_running().await;
    first.proxy.cut();

    let other = fleet.other(first);
    let answer = soon(call).await.unwrap().unwrap();
    assert_eq!(answer, other.handlers.number());
    assert_eq!(first.handlers.seen(), [seen("read", 0, false)]);
    assert_eq!(other.handlers.seen(), [seen("read", 1, true)]);
    let stats = cluster.stats();
    assert_eq!((stats.calls, stats.attempts, stats.retries), (1, 2, 1));
}

#[tokio::test]
async fn a_call_that_may_have_run_is_not_made_twice_and_says_so() {
    let fleet = Fleet::of(2).await;
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    fleet.next(Act::Hang);
    let call = tokio::spawn(async move { client.write().await });
    fleet.first_running().await.proxy.cut();

    let status = soon(call).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());
    assert_eq!(fleet.total(), 1);
    assert_eq!(cluster.stats().retries, 0);
}

#[service(name = "relay")]
trait Relay {
    /// Breaks off unless it is a retry; then it is what reading below comes to.
    #[rpc(idempotent)]
    async fn retried(&self) -> Result<usize, Status>;

    #[rpc(idempotent)]
    async fn passed_on(&self) -> Result<usize, Status>;
}

struct Forward(ProbeClient);

impl Relay for Forward {
    async fn retried(&self) -> Result<usize, Status> {
        if Context::current().unwrap().attempt().retry {
            return self.0.read(1).await;
        }
        Err(Status::unavailable("broke off"))
    }

    async fn passed_on(&self) -> Result<usize, Status> {
        self.0.read(1).await
    }
}

#[tokio::test]
async fn a_retry_is_not_retried_further_down() {
    let below = Fleet::of(2).await;
    below.all(&Act::break_off());
    let (_cluster, probe) = below.follow(below.cluster().strategy(at_once(2))).await;
    let relay = Server::builder().add(RelayServer::new(Forward(probe)));
    let relay = relay.start("tcp://127.0.0.1:0").await.unwrap();
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([relay.address().to_string()]));
    let follow = async |retry_passed_on| {
        let once = Strategy::Failover(Failover {
            retries: 1,
            first_pause: Duration::ZERO,
            retry_passed_on,
            ..Failover::default()
        });
        let cluster = RelayClient::cluster().registry(&registry).strategy(once);
        RelayClient::new(cluster.follow().await.unwrap()).with(patient())
    };
    let client = follow(false).await;

    let status = client.retried().await.unwrap_err();
    assert!(
        status.message().contains("a retry is not retried"),
        "{status}"
    );
    assert_eq!(below.total(), 1);
    // The relay passes the failure on, and its caller does not repeat what was repeated below.
    let status = client.passed_on().await.unwrap_err();
    assert!(status.is_passed_on(), "{status:?}");
    assert_eq!(below.total(), 1 + 3);
    // A caller that asks for it makes two attempts, the first of which makes three below, and the second of which is a
    // retry.
    follow(true).await.passed_on().await.unwrap_err();
    assert_eq!(below.total(), 1 + 3 + 3 + 1);
}

#[tokio::test]
async fn retries_end_with_the_budget_when_everything_fails() {
    let fleet = Fleet::of(3).await;
    fleet.all(&Act::break_off());
    let budget = RetryBudget {
        ratio: 0.2,
        min_per_second: 0,
        ttl: Duration::from_secs(60),
    };
    let builder = fleet
        .cluster()
        .strategy(at_once(2))
        .retry_budget(budget)
        .health(HealthConfig::off());
    let (cluster, client) = fleet.follow(builder).await;
    for _ in 0..100 {
        assert_eq!(client.read(1).await.unwrap_err().code(), Code::Unavailable);
    }
    let stats = cluster.stats();
    assert_eq!((stats.calls, stats.attempts), (100, 120));
    assert_eq!((stats.retries, fleet.total()), (20, 120));
    assert!(stats.budget_empty > 0);
}

#[tokio::test]
async fn a_dead_address_costs_no_call_and_next_to_no_attempts() {
    let fleet = Fleet::of(1).await;
    let live = fleet.replicas[0].proxy.address();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("tcp://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([dead, live]));
    let cluster = ProbeClient::cluster().registry(&registry);
    let cluster = cluster.follow().await.unwrap();
    let client = ProbeClient::new(cluster.clone()).with(patient());
    for round in 0..200 {
        let calls = (0..10).map(|_| async {
            match round % 2 {
                0 => client.read(1).await,
                _ => client.write().await,
            }
        });
        for answer in futures_util::future::join_all(calls).await {
            assert_eq!(answer.unwrap(), 0);
        }
    }
    assert_eq!(fleet.total(), 2_000);
    let stats = cluster.stats();
    assert!(stats.attempts < 2_020, "{stats:?}");
    assert_eq!(stats.retries, 0, "what never ran goes elsewhere for free");
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_makes_room_for_another() {
    let fleet = Fleet::of(2).await;
    let strategy = Strategy::Failover(Failover {
        attempt_timeout: Some(Duration::from_millis(200)),
        ..Failover::default()
    });
    let (cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    fleet.next(Act::Hang);
    soon(client.read(1)).await.unwrap();
    assert_eq!(fleet.started(), [1, 1]);
    assert_eq!(cluster.stats().retries, 1);
    for replica in &fleet.replicas {
        replica.handlers.until_running(0).await;
    }
}

#[tokio::test]
async fn one_deadline_covers_all_attempts() {
    let fleet = Fleet::of(3).await;
    fleet.all(&Act::Hang);
    let strategy = Strategy::Failover(Failover {
        attempt_timeout: Some(Duration::from_millis(100)),
        ..Failover::default()
    });
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    let started = std::time::Instant::now();
    let hurried = client.with(CallOptions::new().timeout(Duration::from_millis(500)));
    let status = soon(hurried.read(1)).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(!status.never_ran());
    assert!(started.elapsed() >= Duration::from_millis(500));
    assert_eq!(fleet.total(), 3);
    for replica in &fleet.replicas {
        replica.handlers.until_running(0).await;
    }
}

#[tokio::test]
async fn an_instance_that_takes_connections_and_says_nothing_costs_no_call() {
    // Nobody stands behind it.
    let mute = Proxy::listen().await;
    let fleet = Fleet::of(1).await;
    let live = fleet.replicas[0].proxy.address();
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([mute.address(), live]));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(2)));
    for _ in 0..200 {
        soon(client.write()).await.unwrap();
    }
    assert_eq!(fleet.total(), 200);
}
