//! What is configured for a method counts before what its trait declares, and that before what the service has.

use std::time::Duration;

use doge_rpc::{
    Deadline,
    call::{Request, Route},
    client::{
        BackupRequest, Cluster, Failover, HealthConfig, HedgeDelay, MethodPolicy, RetryBudget,
        Strategy,
    },
    schema::{Encoding, MethodSchema},
    wire,
};

use crate::common::{Act, Fleet, Probe, ProbeClient};

fn at_once(retries: u32) -> Strategy {
    Strategy::Failover(Failover {
        retries,
        first_pause: Duration::ZERO,
        ..Failover::default()
    })
}

async fn broken(
    service: Strategy,
    method: Option<(&str, Strategy)>,
) -> (Fleet, Cluster, ProbeClient) {
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::break_off());
    let mut builder = fleet
        .cluster()
        .strategy(service)
        .health(HealthConfig::off());
    if let Some((method, strategy)) = method {
        builder = builder.method(method, MethodPolicy::new().strategy(strategy));
    }
    let (cluster, client) = fleet.follow(builder).await;
    (fleet, cluster, client)
}

#[tokio::test]
async fn a_method_that_declares_nothing_is_as_its_service() {
    for retries in [0, 3] {
        let (fleet, ..) = {
            let all = broken(at_once(retries), None).await;
            all.2.read(1).await.unwrap_err();
            all
        };
        assert_eq!(fleet.total(), 1 + retries as usize);
    }
}

#[tokio::test]
async fn what_the_trait_declares_counts_before_the_service() {
    let (fleet, _cluster, client) = broken(at_once(3), None).await;
    client.once_more().await.unwrap_err();
    assert_eq!(fleet.total(), 2);
    let (fleet, _cluster, client) = broken(Strategy::Failfast, None).await;
    client.once_more().await.unwrap_err();
    assert_eq!(fleet.total(), 2);
}

#[tokio::test]
async fn what_is_configured_for_a_method_counts_before_its_trait() {
    let (fleet, _cluster, client) = broken(at_once(2), Some(("once_more", at_once(4)))).await;
    client.once_more().await.unwrap_err();
    assert_eq!(fleet.total(), 5);
    client.read(1).await.unwrap_err();
    assert_eq!(fleet.total(), 5 + 3, "another method is as its service");
}

#[tokio::test]
async fn a_declared_hedge_can_be_switched_off_and_a_missing_one_added() {
    let hedge = Strategy::BackupRequest(BackupRequest {
        delay: HedgeDelay::After(Duration::from_millis(1)),
        ratio: 1.0,
        ..BackupRequest::default()
    });
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::Take(Duration::from_millis(100)));
    let builder = fleet
        .cluster()
        .method("hedged", MethodPolicy::new().strategy(Strategy::Failfast))
        .method("read", MethodPolicy::new().strategy(hedge));
    let (cluster, client) = fleet.follow(builder).await;
    client.hedged().await.unwrap();
    assert_eq!(cluster.stats().hedges, 0);
    client.read(1).await.unwrap();
    assert_eq!(cluster.stats().hedges, 1);
}

#[tokio::test]
async fn a_call_by_name_finds_what_is_configured_for_the_name() {
    let (fleet, cluster, _client) = broken(
        at_once(2),
        Some(("write", Strategy::Failsafe(Default::default()))),
    )
    .await;
    let client = doge_rpc::Client::from(cluster).with(crate::common::patient());
    let nothing: Option<usize> = client
        .call_by_name("probe", "write", &[(); 0])
        .await
        .unwrap();
    assert_eq!((nothing, fleet.total()), (None, 1));
}

#[tokio::test]
async fn options_of_each_method_count_however_many_there_are() {
    const METHODS: usize = 600;
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::break_off());
    let budget = RetryBudget {
        ratio: 1.0,
        ..RetryBudget::default()
    };
    let builder = fleet.cluster().strategy(at_once(2)).retry_budget(budget);
    let (cluster, _) = fleet.follow(builder.health(HealthConfig::off())).await;
    let method = |index| {
        let method = MethodSchema::new("probe", "once_more", index);
        method.with_idempotent().with_retries(index as u32 % 2)
    };
    let methods: &'static [MethodSchema] = Vec::leak((0..METHODS).map(method).collect());
    for method in methods {
        let body = wire::encode(&[(); 0], Encoding::Map).unwrap();
        let deadline = Deadline::after(Duration::from_secs(10));
        let before = fleet.total();
        let request = Request::new(Route::from(method), body, deadline);
        cluster.call(&request).await.unwrap_err();
        let expected = 1 + method.index() % 2;
        assert_eq!(
            fleet.total() - before,
            expected,
            "method {}",
            method.index()
        );
    }
}
