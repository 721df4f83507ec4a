//! What a call costs while nothing can be reached, with a look inside.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use doge_registry::{Registry, ServiceKey, Static};
use doge_rpc_core::{
    Code, Deadline, Status,
    call::{Request, Response, Route},
    protocol::{Codec, Features, Fields, Frame, GoAway, Hello, Message, Reason},
    schema::MethodSchema,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::Cluster;
use crate::{Channel, Client, RetryBudget, health::HealthOutcome};

fn request(millis: u64) -> Request {
    static METHOD: MethodSchema = MethodSchema::new("fake", "get", 0).with_idempotent();
    let deadline = Deadline::after(Duration::from_millis(millis));
    Request::new(Route::from(&METHOD), Bytes::from_static(b"\x90"), deadline)
}

/// So many addresses where nobody listens, each known to be down.
async fn all_down(count: usize) -> Cluster {
    let addresses = (1..=count).map(|number| format!("tcp://127.0.0.{number}:1"));
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let cluster = Cluster::builder(ServiceKey::new("fake"))
        .registry(&registry)
        .retry_budget(RetryBudget {
            ratio: 1.0,
            min_per_second: 0,
            ..RetryBudget::default()
        })
        .follow()
        .await
        .unwrap();
    let set = cluster.shared.core.set.load_full();
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, async {
        while !set.endpoints().iter().all(|it| it.channel().is_down()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all are found to be down");
    cluster
}

#[tokio::test]
async fn a_call_asks_three_of_those_that_are_down() {
    let cluster = all_down(100).await;
    let status = cluster.call(&request(10_000)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert_eq!(cluster.stats().attempts, 3);
}

#[tokio::test]
async fn a_call_that_waits_counts_once_and_looks_when_there_is_news() {
    let cluster = all_down(2).await;
    let waiting = request(500).with_wait_for_ready(true);
    let status = cluster.call(&waiting).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(
        cluster.stats().attempts,
        2,
        "one look, in less than a second"
    );

    let (core, before) = (&cluster.shared.core, cluster.stats().attempts);
    let call = async {
        let waiting = request(10_000).with_wait_for_ready(true);
        let call = cluster.call(&waiting);
        let ended = tokio::time::timeout(Duration::from_millis(800), call).await;
        assert!(ended.is_err(), "nobody came");
    };
    let news = async {
        let limit = Instant::now() + Duration::from_millis(700);
        while cluster.stats().attempts < before + 2 && Instant::now() < limit {
            tokio::task::yield_now().await;
        }
        core.changed.notify_waiters();
        while cluster.stats().attempts < before + 4 && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(cluster.stats().attempts, before + 4, "at once");
    };
    tokio::join!(call, news);

    let now = Instant::now();
    let saved = (0..100).take_while(|_| core.budget.withdraw(now)).count();
    assert_eq!(saved, 2, "a whole retry for each of two calls");
}

/// A server that says hello, and hangs up at the first byte.
async fn hello_and_bye() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let came = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&came);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            stream.write_all(&hello()).await.unwrap();
            // Whether there is one is all the same.
            let _ = stream.read_u8().await;
        }
    });
    (address, came)
}

fn hello() -> BytesMut {
    let hello = Hello {
        min_version: 1,
        max_version: 1,
        features: Features::NONE,
        max_frame: 1 << 20,
        max_calls: 16,
        max_routes: 16,
        fields: Fields::default(),
    };
    let frame = Frame {
        call: 0,
        message: Message::Hello(hello),
    };
    let mut bytes = BytesMut::new();
    let Ok(()) = frame.encode(&mut bytes, u32::MAX) else {
        panic!("a hello is short")
    };
    bytes
}

#[tokio::test]
async fn an_endpoint_that_hangs_up_after_its_hello_is_connected_to_after_growing_pauses() {
    let (address, came) = hello_and_bye().await;
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([address]));
    let builder = Cluster::builder(ServiceKey::new("fake")).registry(&registry);
    let _cluster = builder.follow().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    // Without pauses it would be one with each look, 40 by now.
    let came = came.load(Ordering::SeqCst);
    assert!((2..12).contains(&came), "{came} connections");
}

#[tokio::test]
async fn what_waits_in_a_layer_is_no_failure_of_the_endpoint() {
    let (address, _) = hello_and_bye().await;
    let registry: Arc<dyn Registry> =
        Arc::new(Static::addresses([address, "tcp://127.0.0.1:1".into()]));
    let never =
        tower::util::MapFutureLayer::new(|_| pending::<Result<Response, tower::BoxError>>());
    let builder = Cluster::builder(ServiceKey::new("fake")).registry(&registry);
    let cluster = builder.attempt_layer(never).follow().await.unwrap();
    for _ in 0..20 {
        cluster.call(&request(5)).await.unwrap_err();
    }
    let set = cluster.shared.core.set.load_full();
    assert_eq!(cluster.stats().ejections, 0);
    // Four in a row are none too many, and so none was counted before.
    for endpoint in set.endpoints() {
        assert!((0..4).all(|_| !endpoint.health().record(HealthOutcome::Failure)));
    }
}

/// Each course of a call that is not the usual course is in a box, so that a call that takes the usual course does not carry
/// the others along.
#[tokio::test]
async fn the_future_of_a_call_is_as_large_as_its_usual_course() {
    static METHOD: MethodSchema = MethodSchema::new("fake", "get", 0).with_idempotent();
    let (cluster, request) = (all_down(1).await, request(10));
    let client = Client::from(cluster.clone());
    let arguments: &[(); 0] = &[];
    let generated = size_of_val(&client.call::<_, u64, Status>(&METHOD, arguments));
    let in_cluster = size_of_val(&cluster.call_at(&request, Instant::now()));
    let channel = Channel::new("tcp://127.0.0.1:1".parse().unwrap());
    let over_channel = size_of_val(&channel.call_at(&request, Instant::now()));
    let sizes = (generated, in_cluster, over_channel);
    assert!(
        generated <= 1_100 && in_cluster <= 800 && over_channel <= 256,
        "{sizes:?}"
    );
}

/// Reads frames until a request comes, and returns the milliseconds that it is given.
async fn timeout_of_a_request(stream: &mut TcpStream) -> u32 {
    let (codec, mut bytes) = (Codec::new(1 << 20, 1 << 20), BytesMut::new());
    loop {
        while let Some(frame) = codec.next(&mut bytes).unwrap() {
            if let Message::Request(head, _) = frame.message {
                return head.timeout;
            }
        }
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_call_that_is_sent_again_tells_how_much_time_is_left_then() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let channel = Channel::new(address.parse().unwrap());
    let connect = |renews: bool| {
        let (channel, listener) = (&channel, &listener);
        async move {
            let accept = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(&hello()).await.unwrap();
                stream
            };
            let connect = async {
                match renews {
                    true => channel.renew().await.unwrap(),
                    false => channel.ready().await.unwrap(),
                }
            };
            tokio::join!(accept, connect).0
        }
    };
    let mut first = connect(false).await;
    let (began, request) = (Instant::now(), request(2_000));
    let calling = channel.call(&request);
    let serving = async {
        timeout_of_a_request(&mut first).await;
        // The call goes on over the first connection; the next call, or the same again, goes over the second.
        let mut second = connect(true).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let left = 2_000 - u32::try_from(began.elapsed().as_millis()).unwrap();
        first.write_all(&goes_away()).await.unwrap();
        (timeout_of_a_request(&mut second).await, left)
    };
    tokio::select! {
        answer = calling => panic!("{answer:?}"),
        (told, left) = serving => assert!(told <= left, "{told} of {left}"),
    }
}

/// None of the calls so far was taken.
fn goes_away() -> BytesMut {
    let goes_away = GoAway {
        reason: Reason::Drain,
        last_calls: Vec::new(),
        message: "".into(),
    };
    let frame = Frame {
        call: 0,
        message: Message::GoAway(goes_away),
    };
    let mut bytes = BytesMut::new();
    let Ok(()) = frame.encode(&mut bytes, u32::MAX) else {
        panic!("a go-away frame is short")
    };
    bytes
}
