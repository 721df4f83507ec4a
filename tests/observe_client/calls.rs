//! Each way that a call can end, under each strategy.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doge_rpc::{
    CallOptions, Code, Request, Status,
    client::{
        BackupRequest, CallLimits, ClusterBuilder, Failover, Failsafe, HedgeDelay, MethodPolicy,
        Strategy,
    },
    registry::{Instance, ServiceKey},
    schema::Encoding,
    wire,
};
use tower::{Layer, Service, ServiceExt as _, util::BoxCloneSyncService};

use crate::{
    common::{Act, Fleet, Probe, ProbeClient, patient, soon},
    ledger::{Callers, Entry, Ledger},
    world::World,
};

#[tokio::test]
async fn with_failover() {
    every_end(|builder| builder.strategy(Strategy::Failover(at_once()))).await;
}

#[tokio::test]
async fn with_failover_and_a_timeout_of_attempts() {
    let failover = Failover {
        attempt_timeout: Some(Duration::from_millis(20)),
        ..at_once()
    };
    every_end(|builder| builder.strategy(Strategy::Failover(failover))).await;
}

#[tokio::test]
async fn with_failfast() {
    every_end(|builder| builder.strategy(Strategy::Failfast)).await;
}

#[tokio::test]
async fn with_backup_requests() {
    let backup = BackupRequest {
        delay: HedgeDelay::After(Duration::from_millis(5)),
        ratio: 1.0,
        failover: at_once(),
        ..BackupRequest::default()
    };
    every_end(|builder| builder.strategy(Strategy::BackupRequest(backup))).await;
}

#[tokio::test]
async fn with_failsafe() {
    let answer = Bytes::from_static(b"\x07");
    every_end(|builder| builder.strategy(Strategy::Failsafe(Failsafe { answer }))).await;
}

#[tokio::test]
async fn with_broadcast() {
    every_end(|builder| builder.strategy(Strategy::Broadcast)).await;
}

#[tokio::test]
async fn with_layers_around_calls_and_attempts() {
    let plain = tower::layer::layer_fn(|service: doge_rpc::call::BoxedService| service);
    every_end(|builder| builder.call_layer(plain).attempt_layer(plain)).await;
}

fn at_once() -> Failover {
    Failover {
        longest_pause: Duration::ZERO,
        ..Failover::default()
    }
}

/// Makes calls that end in each way, and checks that all say the same of them.
async fn every_end(configure: impl FnOnce(ClusterBuilder) -> ClusterBuilder) {
    let once = MethodPolicy::new().limits(CallLimits::new().rate(1, Duration::from_secs(3600)));
    let configure = |cluster: ClusterBuilder| configure(cluster.timed(true)).method("write", once);
    let mut world = World::of(3, configure).await;

    for _ in 0..5 {
        world.callers.saw(&world.client.read(1).await);
        world.callers.saw(&world.client.hedged().await);
    }
    // The limit of this client lets one through.
    world.callers.saw(&world.client.write().await);
    world.callers.saw(&world.client.write().await);

    for number in 1..=Code::Unauthenticated.as_u8() {
        let status = Status::new(Code::from_u8(number), "as told");
        world.fleet.all(&Act::Fail(status.clone()));
        world.callers.saw(&world.client.read(1).await);
        world.callers.saw(&world.client.hedged().await);
        world.callers.saw_trouble(&world.client.argue().await);
    }
    let busy = Status::resource_exhausted("busy").rejected();
    world
        .fleet
        .all(&Act::Fail(busy.with_pushback(Duration::from_millis(1))));
    world.callers.saw(&world.client.read(1).await);
    assert!(
        world
            .ledger
            .count(|entry| matches!(entry, Entry::Pushback(..)))
            > 0
    );

    world.fleet.all(&Act::Hang);
    let hurried = ProbeClient::new(world.cluster.clone())
        .with(CallOptions::new().timeout(Duration::from_millis(60)));
    world.callers.saw(&hurried.read(1).await);
    world.callers.saw(&hurried.hedged().await);
    for hedged in [false, true] {
        let started = world.fleet.total();
        let dropped = async {
            let call = async {
                match hedged {
                    true => world.client.hedged().await,
                    false => world.client.read(1).await,
                }
            };
            tokio::select! {
                _ = call => unreachable!("nobody answers"),
                () = crate::common::until(|| world.fleet.total() > started) => {}
            }
        };
        soon(dropped).await;
        world.callers.saw_code(Code::Cancelled);
    }
    world.fleet.all(&Act::Answer);
    world.callers.saw(&world.client.read(1).await);
    world.agrees();
}

#[tokio::test]
async fn without_instances_a_call_has_no_attempt() {
    let mut world = World::of(0, |cluster| cluster).await;
    world.callers.saw(&world.client.read(1).await);
    let waiting = CallOptions::new()
        .timeout(Duration::from_millis(20))
        .wait_for_ready(true);
    world.callers.saw(&world.client.with(waiting).read(1).await);
    world.agrees();
    let ended = world.cluster.stats().calls_ended;
    let codes = [Code::Unavailable, Code::DeadlineExceeded];
    assert_eq!(codes.map(|code| ended.with(code)), [1, 1]);
    assert_eq!(world.cluster.stats().attempts, 0);
}

#[tokio::test]
async fn without_anybody_at_the_addresses_the_attempts_failed() {
    let (fleet, ledger, mut callers) = (Fleet::empty(), Ledger::new(), Callers::default());
    let nobody = || {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("tcp://{}", free.local_addr().unwrap());
        Instance::new(ServiceKey::new("probe"), address)
    };
    let nobody: Vec<_> = (0..2).map(|_| nobody()).collect();
    let published = crate::common::Published::new(&fleet);
    published.publish(nobody).await;
    let cluster = published
        .cluster()
        .observer(Arc::clone(&ledger))
        .follow()
        .await
        .unwrap();
    let client = ProbeClient::new(cluster.clone()).with(patient());
    for _ in 0..3 {
        callers.saw(&client.read(1).await);
    }
    ledger.agrees(&cluster.stats(), &callers);
    for endpoint in cluster.stats().endpoints {
        assert!(!endpoint.connected && endpoint.connections == 0);
        assert!(
            endpoint
                .why_not_connected
                .unwrap()
                .contains(&endpoint.address)
        );
        assert!(endpoint.next_connect_in.is_some());
        let failed = Entry::ConnectFailed(endpoint.address);
        assert!(ledger.count(|entry| *entry == failed) > 0);
    }
}

#[tokio::test]
async fn a_broadcast_is_one_call_with_an_attempt_everywhere() {
    let mut world = World::of(3, |cluster| cluster).await;
    let arguments = wire::encode(&(1_u64,), Encoding::Map).unwrap();
    let request = || {
        let deadline = doge_rpc::Deadline::after(crate::common::LIMIT);
        Request::new(ProbeClient::route("read"), arguments.clone(), deadline)
    };
    assert_eq!(world.cluster.broadcast(&request()).await.unwrap().len(), 3);
    world.callers.saw_code(Code::Ok);
    world.fleet.replicas[1]
        .handlers
        .act(Act::Fail(Status::not_found("nobody")));
    assert_eq!(world.cluster.broadcast(&request()).await.unwrap().len(), 3);
    world.callers.saw_code(Code::NotFound);
    world.fleet.all(&Act::Hang);
    let dropped = request();
    tokio::select! {
        _ = world.cluster.broadcast(&dropped) => unreachable!("nobody answers"),
        () = crate::common::until(|| world.fleet.total() == 9) => {}
    }
    world.callers.saw_code(Code::Cancelled);
    world.agrees();
    assert_eq!(world.cluster.stats().attempts, 9);
}

#[derive(Debug)]
struct Panics;

impl doge_rpc::observe::Observer for Panics {
    fn observe(&self, event: &doge_rpc::observe::Event<'_>) {
        panic!("at {event:?}");
    }
}

#[tokio::test]
async fn an_observer_that_panics_harms_no_call() {
    let mut world = World::of(1, |cluster| cluster.observer(Panics)).await;
    world.callers.saw(&world.client.read(1).await);
    world.fleet.all(&Act::Hang);
    tokio::select! {
        _ = world.client.read(1) => unreachable!("nobody answers"),
        () = crate::common::until(|| world.fleet.total() == 2) => {}
    }
    world.callers.saw_code(Code::Cancelled);
    world.agrees();
}

/// Answers, refuses or passes on, by turns.
#[derive(Clone)]
struct Turns(Arc<std::sync::atomic::AtomicUsize>);

impl Layer<doge_rpc::call::BoxedService> for Turns {
    type Service = doge_rpc::call::BoxedService;

    fn layer(&self, inner: Self::Service) -> Self::Service {
        let turns = Arc::clone(&self.0);
        BoxCloneSyncService::new(tower::service_fn(move |request: Request| {
            let (turn, mut inner) = (
                turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst),
                inner.clone(),
            );
            async move {
                match turn % 3 {
                    0 => Err(Status::permission_denied("not you").into()),
                    1 => Ok(doge_rpc::Response::from_result(Bytes::from_static(b"\x05"))),
                    _ => {
                        // Twice, as a layer that tries again would.
                        inner.ready().await?.call(request.clone()).await?;
                        inner.ready().await?.call(request).await
                    }
                }
            }
        }))
    }
}

#[tokio::test]
async fn a_call_that_a_layer_ends_is_a_call_as_its_caller_sees_it() {
    let turns = Turns(Arc::default());
    let mut world = World::of(1, |cluster| cluster.call_layer(turns)).await;
    for _ in 0..3 {
        world.callers.saw(&world.client.read(1).await);
    }
    world.agrees();
    let stats = world.cluster.stats();
    assert_eq!((stats.calls, stats.attempts), (3, 2));
    assert_eq!(stats.calls_ended.with(Code::PermissionDenied), 1);
}
