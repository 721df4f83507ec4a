//! Calls by names alone, with a schema that was learnt at run time and without.

use std::{collections::HashSet, sync::Arc, time::Duration};

use doge_rpc::{
    CallOptions, Code,
    client::{
        Balancing, Client, Cluster, ConsistentHash, Failover, HashKey, HealthConfig, LoadBalancing,
        Strategy, Untyped,
    },
    schema::{ArgumentSchema, HedgeDelay, MethodSchema, ServiceSchema},
};

use crate::common::{Act, Fleet, Probe, patient, soon};

/// What reflection would tell of the probe service.
fn probe() -> Arc<ServiceSchema> {
    let millis = Duration::from_millis;
    let schema = ServiceSchema::builder(String::from("probe"), "1")
        .method(MethodSchema::builder("write").timeout(millis(50)))
        .method(
            MethodSchema::builder(String::from("read"))
                .arguments([ArgumentSchema::learnt(String::from("key"), "u64")])
                .idempotent(),
        )
        .method(
            MethodSchema::builder("hedged")
                .idempotent()
                .hedge(HedgeDelay::After(millis(20))),
        )
        .method(MethodSchema::builder("once_more").idempotent().retries(1));
    Arc::new(schema.build().unwrap())
}

/// Calls with the schema, and without.
fn both(cluster: &Cluster) -> [Untyped; 2] {
    let client = Client::from(cluster.clone()).with(patient());
    [
        client.untyped_with_schema(&probe()),
        client.untyped("probe"),
    ]
}

fn at_once() -> Strategy {
    Strategy::Failover(Failover {
        first_pause: Duration::ZERO,
        ..Failover::default()
    })
}

#[tokio::test]
async fn a_call_is_retried_as_its_schema_says_and_without_one_is_not() {
    for (place, method, attempts) in [
        (0, "once_more", 2),
        (0, "write", 1),
        (0, "argue", 1),
        (1, "once_more", 1),
    ] {
        let fleet = Fleet::of(2).await;
        fleet.all(&Act::break_off());
        let builder = fleet.cluster().strategy(at_once());
        let (cluster, _) = fleet.follow(builder.health(HealthConfig::off())).await;
        let probe = &both(&cluster)[place];
        soon(probe.call::<usize>(method, ())).await.unwrap_err();
        assert_eq!(fleet.total(), attempts, "{place}: {method}");
    }
}

#[tokio::test]
async fn a_call_is_hedged_as_its_schema_says_and_without_one_is_not() {
    // Nothing else hedges here, so that a first credit is what the calls themselves have saved.
    const CALLS: usize = 20;
    for (place, hedges) in [(0, 1), (1, 0)] {
        let fleet = Fleet::of(2).await;
        let (cluster, _) = fleet.follow(fleet.cluster()).await;
        let probe = &both(&cluster)[place];
        for _ in 1..CALLS {
            soon(probe.call::<usize>("hedged", ())).await.unwrap();
        }
        fleet.all(&Act::Gate);
        let call = tokio::spawn({
            let probe = probe.clone();
            async move { probe.call::<usize>("hedged", ()).await }
        });
        let first = fleet.first_running().await;
        if hedges > 0 {
            fleet.other(first).handlers.until_running(1).await;
            fleet.other(first).handlers.open_gate();
        }
        first.handlers.open_gate();
        soon(call).await.unwrap().unwrap();
        assert_eq!(cluster.stats().hedges, hedges);
        assert_eq!(fleet.total(), CALLS + hedges as usize);
    }
}

#[tokio::test]
async fn a_call_is_hashed_by_an_argument_of_its_schema_and_without_one_is_not() {
    let fleet = Fleet::of(3).await;
    let hash = ConsistentHash::by(HashKey::Argument("key".into()));
    let balancing = Balancing {
        policy: LoadBalancing::ConsistentHash(hash),
        slow_start: None,
        ..Balancing::default()
    };
    let (cluster, generated) = fleet.follow(fleet.cluster().balancing(balancing)).await;
    let [with, without] = both(&cluster);
    let mut spread = HashSet::new();
    for key in 0..30_u64 {
        let number = generated.read(key).await.unwrap();
        assert_eq!(with.call::<usize>("read", (key,)).await, Ok(number));
        for _ in 0..2 {
            spread.insert(without.call::<usize>("read", (7_u64,)).await.unwrap());
        }
    }
    assert_ne!(spread.len(), 1, "one key, and any instance");
}

#[tokio::test]
async fn a_call_ends_by_the_timeout_of_its_schema() {
    let fleet = Fleet::of(1).await;
    fleet.all(&Act::Hang);
    let (cluster, _) = fleet.follow(fleet.cluster()).await;
    let client = Client::from(cluster).untyped_with_schema(&probe());
    let begun = std::time::Instant::now();
    let late = soon(client.call::<usize>("write", ())).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!(
        begun.elapsed() < Duration::from_millis(900),
        "the default is 1 s"
    );

    let begun = std::time::Instant::now();
    let longer = client.with(CallOptions::new().timeout(Duration::from_millis(120)));
    soon(longer.call::<usize>("write", ())).await.unwrap_err();
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[tokio::test]
async fn a_schema_that_is_learnt_with_every_call_is_the_same_method() {
    let fleet = Fleet::of(2).await;
    let (cluster, _) = fleet.follow(fleet.cluster()).await;
    fleet.all(&Act::Take(Duration::from_millis(60)));
    for _ in 0..20 {
        let [probe, _] = both(&cluster);
        soon(probe.call::<usize>("hedged", ())).await.unwrap();
    }
    assert_eq!(
        cluster.stats().hedges,
        1,
        "a twentieth, saved up call by call"
    );
}
