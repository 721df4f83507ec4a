//! Failfast, failsafe, broadcast.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use doge_rpc::{
    CallOptions, Code, Deadline, Request, Status,
    client::{CallLimits, ChannelPool, Cluster, Failsafe, HealthConfig, Strategy},
    registry::{Registry, Static},
    schema::Encoding,
    wire,
};

use crate::common::{Act, Fleet, LIMIT, Probe, ProbeClient, Trouble, soon};

#[tokio::test]
async fn failfast_makes_one_attempt_whatever_comes_of_it() {
    let fleet = Fleet::of(2).await;
    fleet.all(&Act::break_off());
    let builder = fleet.cluster().strategy(Strategy::Failfast);
    let (cluster, client) = fleet.follow(builder).await;
    let status = client.read(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.never_ran());
    assert_eq!((fleet.total(), cluster.stats().attempts), (1, 1));
}

#[tokio::test]
async fn failsafe_answers_for_calls_that_fail() {
    let fleet = Fleet::of(2).await;
    let strategy = Strategy::Failsafe(Failsafe {
        answer: Bytes::from_static(b"\x07"),
    });
    let (_cluster, client) = fleet.follow(fleet.cluster().strategy(strategy)).await;
    let answer = client.read(1).await.unwrap();
    assert!(answer < 2, "a call that goes well has its own answer");

    fleet.all(&Act::break_off());
    assert_eq!(client.read(1).await.unwrap(), 7);
    assert_eq!(fleet.total(), 2, "one attempt each");
    // What the application says is an answer.
    let refused = client.argue().await.unwrap_err();
    assert!(matches!(refused, Trouble::No(_)));
}

#[tokio::test]
async fn failsafe_answers_without_instances_and_at_a_limit() {
    let strategy = Strategy::Failsafe(Failsafe {
        answer: Bytes::from_static(b"\x07"),
    });
    let fleet = Fleet::empty();
    let builder = fleet.cluster().strategy(strategy.clone());
    let (cluster, client) = fleet.follow(builder).await;
    assert_eq!(client.read(1).await.unwrap(), 7);
    assert_eq!(cluster.stats().attempts, 0);

    let fleet = Fleet::of(1).await;
    let limits = CallLimits::new().rate(1, Duration::from_secs(60));
    let builder = fleet.cluster().strategy(strategy).limits(limits);
    let (cluster, client) = fleet.follow(builder).await;
    assert_eq!(client.read(1).await.unwrap(), 0);
    assert_eq!(client.read(1).await.unwrap(), 7);
    let stats = cluster.stats();
    assert_eq!((fleet.total(), stats.limited), (1, 1));
}

/// Takes connections and says nothing.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[tokio::test]
async fn what_has_no_second_attempt_has_all_the_time_for_the_first() {
    let ((_one, one), (_other, other)) = (silent(), silent());
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([one, other]));
    for strategy in [Strategy::Failfast, Strategy::Broadcast] {
        let builder = ProbeClient::cluster()
            .registry(&registry)
            .pool(&ChannelPool::default());
        let cluster = builder.strategy(strategy.clone()).follow().await.unwrap();
        let time = Duration::from_millis(300);
        let client = ProbeClient::new(cluster).with(CallOptions::new().timeout(time));
        let begun = Instant::now();
        let status = soon(client.write()).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{strategy:?}");
        assert!(begun.elapsed() >= time, "{strategy:?}");
    }
}

async fn ask_all(cluster: &Cluster, method: &str) -> Vec<(String, Result<usize, Status>)> {
    let body = wire::encode(&[(); 0], Encoding::Map).unwrap();
    let request = Request::new(ProbeClient::route(method), body, Deadline::after(LIMIT));
    let answers = cluster.broadcast(&request).await.unwrap();
    let decoded = answers.into_iter().map(|answer| {
        let result = answer
            .result
            .and_then(|response| response.decode::<usize, Status>(request.route()));
        (answer.instance.address().to_owned(), result)
    });
    decoded.collect()
}

#[tokio::test]
async fn a_broadcast_has_what_each_instance_says() {
    let mut fleet = Fleet::of(4).await;
    let (cluster, _client) = fleet.follow(fleet.cluster()).await;
    let fails = Status::failed_precondition("not here");
    fleet.replicas[1].handlers.act(Act::Fail(fails));
    fleet.replicas[2].handlers.act(Act::break_off());
    // The one that is away has nobody listening any more, though it is registered.
    let away = &mut fleet.replicas[3];
    away.server.take();
    away.proxy.cut();

    // Not idempotent: each instance gets it once, and none twice.
    let answers = ask_all(&cluster, "write").await;
    assert_eq!(answers.len(), 4);
    for replica in &fleet.replicas {
        let address = replica.proxy.address();
        let (_, answer) = answers.iter().find(|(who, _)| *who == address).unwrap();
        match replica.handlers.number() {
            0 => assert_eq!(*answer, Ok(0)),
            1 => assert_eq!(
                answer.as_ref().unwrap_err().code(),
                Code::FailedPrecondition
            ),
            _ => assert_eq!(answer.as_ref().unwrap_err().code(), Code::Unavailable),
        }
    }
    assert_eq!(fleet.started(), [1, 1, 1, 0]);
}

#[tokio::test]
async fn broadcast_as_a_strategy_fails_when_one_instance_does() {
    let fleet = Fleet::of(3).await;
    let builder = fleet.cluster().strategy(Strategy::Broadcast);
    let (_cluster, client) = fleet.follow(builder.health(HealthConfig::off())).await;
    client.write().await.unwrap();
    assert_eq!(fleet.started(), [1, 1, 1]);

    let fails = Status::failed_precondition("not here");
    fleet.replicas[1].handlers.act(Act::Fail(fails));
    let status = client.write().await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(
        status.message().contains("at one of 3 endpoints"),
        "{status}"
    );
    assert!(!status.never_ran());
    assert_eq!(
        fleet.started(),
        [2, 2, 2],
        "the others are asked all the same"
    );
}
