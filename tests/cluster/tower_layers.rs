//! tower's own layers, around calls and around attempts.

use std::time::{Duration, Instant};

use doge_rpc::{
    Code, Status,
    client::{Balancing, Cluster, ClusterBuilder, LoadBalancing},
};
use futures_util::future::join_all;
use tower::{
    ServiceBuilder, buffer::BufferLayer, limit::ConcurrencyLimitLayer, limit::RateLimitLayer,
    load_shed::LoadShedLayer, timeout::TimeoutLayer,
};

use crate::common::{Act, Fleet, Probe, ProbeClient, soon};

#[derive(Clone, Copy, Debug)]
enum Place {
    Call,
    Attempt,
}

const PLACES: [Place; 2] = [Place::Call, Place::Attempt];

/// A layer at one place or the other.
fn at(
    place: Place,
    builder: ClusterBuilder,
    layer: impl doge_rpc::call::CallLayer,
) -> ClusterBuilder {
    match place {
        Place::Call => builder.call_layer(layer),
        Place::Attempt => builder.attempt_layer(layer),
    }
}

async fn with(
    place: Place,
    instances: usize,
    layer: impl doge_rpc::call::CallLayer,
) -> (Fleet, Cluster, ProbeClient) {
    let fleet = Fleet::of(instances).await;
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        ..Balancing::default()
    };
    let builder = at(place, fleet.cluster().balancing(balancing), layer);
    let (cluster, client) = fleet.follow(builder).await;
    (fleet, cluster, client)
}

fn assert_shed(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    assert!(status.message().contains("load shed"), "{status}");
}

#[tokio::test]
async fn a_timeout_stops_what_takes_longer() {
    for place in PLACES {
        let layer = TimeoutLayer::new(Duration::from_millis(200));
        let (fleet, _cluster, client) = with(place, 1, layer).await;
        client.write().await.unwrap();
        fleet.all(&Act::Hang);
        let status = soon(client.write()).await.unwrap_err();
        let code = match place {
            Place::Call => Code::DeadlineExceeded,
            Place::Attempt => Code::Unavailable,
        };
        assert_eq!(status.code(), code, "{place:?}");
        assert!(status.message().contains("a timeout layer"), "{status}");
        assert!(!status.never_ran());
        fleet.replicas[0].handlers.until_running(0).await;
    }
}

#[tokio::test]
async fn an_idempotent_call_goes_on_elsewhere_after_a_timeout_around_its_attempt() {
    let layer = TimeoutLayer::new(Duration::from_millis(50));
    let (fleet, cluster, client) = with(Place::Attempt, 2, layer).await;
    fleet.replicas[0].handlers.act(Act::Hang);
    for key in 0..6 {
        assert_eq!(soon(client.read(key)).await.unwrap(), 1);
    }
    assert!(cluster.stats().retries > 0);
}

#[tokio::test]
async fn a_concurrency_limit_makes_calls_wait_for_all_or_for_each_instance() {
    for (place, most) in [(Place::Call, [2, 2]), (Place::Attempt, [4, 2])] {
        let (fleet, _cluster, client) = with(place, 2, ConcurrencyLimitLayer::new(2)).await;
        fleet.all(&Act::Take(Duration::from_millis(20)));
        for answer in soon(join_all((0..16).map(|_| client.write()))).await {
            answer.unwrap();
        }
        let running: Vec<_> = fleet
            .replicas
            .iter()
            .map(|it| it.handlers.most_running())
            .collect();
        let [all, each] = most;
        assert!(running.iter().all(|most| *most <= each), "{running:?}");
        assert!(
            running.iter().sum::<usize>() >= all,
            "{place:?} {running:?}"
        );
        assert_eq!(fleet.total(), 16);
    }
}

#[tokio::test]
async fn load_shed_refuses_calls_that_would_wait() {
    let layers = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let (fleet, cluster, client) = with(Place::Call, 2, layers.into_inner()).await;
    fleet.all(&Act::Gate);
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.write().await }
    });
    let busy = fleet.first_running().await;
    assert_shed(&client.write().await.unwrap_err());
    assert_eq!(cluster.stats().attempts, 1, "it went nowhere");
    busy.handlers.open_gate();
    soon(call).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_one_instance_sheds_goes_to_another() {
    let layers = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let (fleet, cluster, client) = with(Place::Attempt, 2, layers.into_inner()).await;
    fleet.all(&Act::Gate);
    let write = || {
        let client = client.clone();
        tokio::spawn(async move { client.write().await })
    };
    let first = write();
    let busy = fleet.first_running().await;
    let other = fleet.other(busy);
    // In turn, so that the second of these is asked of the busy one first.
    for _ in 0..2 {
        let call = write();
        other.handlers.until_running(1).await;
        other.handlers.open_gate();
        assert_eq!(soon(call).await.unwrap().unwrap(), other.handlers.number());
    }
    let calls = [write(), write()];
    let [one, two] = calls.map(soon);
    other.handlers.until_running(1).await;
    // Of the two, one has the other instance, and one finds both taken.
    let shed = tokio::select! {
        ended = one => ended,
        ended = two => ended,
    };
    assert_shed(&shed.unwrap().unwrap_err());
    assert_eq!(cluster.stats().ejections, 0);
    other.handlers.open_gate();
    busy.handlers.open_gate();
    assert_eq!(soon(first).await.unwrap().unwrap(), busy.handlers.number());
}

#[tokio::test]
async fn a_rate_limit_behind_a_buffer_spreads_calls_in_time() {
    for (place, instances) in [(Place::Call, 2), (Place::Attempt, 1)] {
        let layers = ServiceBuilder::new()
            .layer(BufferLayer::new(16))
            .layer(RateLimitLayer::new(3, Duration::from_millis(100)));
        let (fleet, _cluster, client) = with(place, instances, layers.into_inner()).await;
        let started = Instant::now();
        for answer in soon(join_all((0..7).map(|_| client.write()))).await {
            answer.unwrap();
        }
        // Three, three, and the last.
        let elapsed = started.elapsed();
        assert!(
            elapsed >= Duration::from_millis(200),
            "{place:?} {elapsed:?}"
        );
        assert_eq!(fleet.total(), 7);
    }
}
