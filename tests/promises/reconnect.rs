//! A channel survives its server.

use std::time::Duration;

use bytes::BytesMut;
use doge_rpc::{
    client::{Backoff, Channel, ChannelConfig},
    connection::Limits,
    prelude::*,
    protocol::{DEFAULT_MAX_FRAME, Frame, GoAway, Message, Reason},
    transport::{Listener, Sockets, Transport as _},
};
use tokio::{io::AsyncWriteExt as _, time::Instant};

use crate::support::{Handlers, Probe, ProbeClient, patient};

#[tokio::test]
async fn a_channel_connects_when_it_is_first_used_and_again_when_its_server_is_back() {
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let address = server.address().clone();
    server.drain().await;

    let client = ProbeClient::connect(&address).unwrap();
    for round in 0..5 {
        let server = handlers.serve_again(&address).await;
        let waiting = client.with(patient().wait_for_ready(true));
        assert_eq!(waiting.echo(round).await.unwrap(), round);
        assert_eq!(client.echo(round).await.unwrap(), round);
        server.drain().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_fails_fast_while_the_server_is_down_or_waits_as_asked() {
    let client = ProbeClient::connect("memory://comes-later").unwrap();
    let started = Instant::now();
    for _ in 0..10 {
        let status = client.echo(1).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.never_ran());
    }
    assert_eq!(started.elapsed(), Duration::ZERO, "nothing waited");

    let waiting = tokio::spawn({
        let client = client.with(patient().wait_for_ready(true));
        async move { client.echo(7).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    let _server = Handlers::default()
        .server()
        .start("memory://comes-later")
        .await
        .unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_waits_makes_no_other_caller_wait() {
    let client = ProbeClient::connect("memory://never-comes").unwrap();
    client.echo(1).await.unwrap_err();
    let waiting = tokio::spawn({
        let client = client.with(patient().wait_for_ready(true));
        async move { client.echo(2).await }
    });
    tokio::task::yield_now().await;
    let started = Instant::now();
    assert_eq!(client.echo(3).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(
        waiting.await.unwrap().unwrap_err().code(),
        Code::DeadlineExceeded
    );
}

#[test]
fn a_client_outlives_the_runtime_that_connected_it() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let serving = runtime();
    let server = serving
        .block_on(Handlers::default().server().start("tcp://127.0.0.1:0"))
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();
    let first = runtime();
    assert_eq!(first.block_on(client.echo(1)).unwrap(), 1);
    drop(first);
    assert_eq!(runtime().block_on(client.echo(2)).unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn pauses_between_attempts_grow() {
    use std::sync::{Arc, Mutex};

    let listener = doge_rpc::transport::Listener::bind(&"memory://slams-the-door".parse().unwrap())
        .await
        .unwrap();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let accepting = tokio::spawn({
        let attempts = Arc::clone(&attempts);
        async move {
            while listener.accept().await.is_ok() {
                attempts.lock().unwrap().push(Instant::now());
            }
        }
    });
    let backoff = Backoff {
        jitter: 0.0,
        ..Backoff::default()
    };
    let config = ChannelConfig {
        backoff,
        ..ChannelConfig::default()
    };
    let channel = Channel::with_config("memory://slams-the-door".parse().unwrap(), config);
    let client = ProbeClient::new(channel).with(CallOptions::new().timeout(Duration::from_secs(2)));
    let status = client
        .with(CallOptions::new().wait_for_ready(true))
        .echo(1)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.never_ran());
    accepting.abort();

    let attempts = attempts.lock().unwrap();
    let pauses: Vec<_> = attempts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect();
    // 100 ms, and 1.6 times as long each time; timers have a grain of a millisecond.
    for (pause, expected) in pauses.iter().zip([100, 160, 256, 409, 655]) {
        assert!((expected..=expected + 2).contains(pause), "{pauses:?}");
    }
    assert_eq!(pauses.len(), 5, "{pauses:?}");
}

/// Ten pings a second, and their answers, are no flood.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_is_pinged_as_often_as_can_be_lives() {
    let limits = Limits {
        ping_after: Duration::ZERO,
        ..Limits::default()
    };
    let server = Handlers::default().server().limits(limits.clone());
    let server = server.start("memory://often-pinged").await.unwrap();
    let config = ChannelConfig {
        limits,
        ..ChannelConfig::default()
    };
    let client = ProbeClient::new(Channel::with_config(server.address().clone(), config));
    assert_eq!(client.echo(1).await, Ok(1));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(client.echo(2).await, Ok(2));
    assert_eq!(server.stats().connections_accepted, 1);
}

/// As behind a load balancer, or at a port that several processes share.
#[tokio::test(start_paused = true)]
async fn a_server_that_shuts_down_instead_of_saying_hello_is_left_for_the_next_at_its_address() {
    let address: doge_rpc::transport::Address = "memory://behind-a-balancer".parse().unwrap();
    let listener = Listener::bind(&address).await.unwrap();
    let served = Handlers::default();
    let server = served.server().start("memory://balanced").await.unwrap();
    let goaway = GoAway {
        reason: Reason::Drain,
        last_calls: Vec::new(),
        message: "the server shuts down".into(),
    };
    tokio::spawn(async move {
        for number in 0..10 {
            let (mut stream, _) = listener.accept().await.unwrap();
            if number % 3 < 2 {
                let mut bytes = BytesMut::new();
                let message = Message::GoAway(goaway.clone());
                let frame = Frame { call: 0, message };
                frame.encode(&mut bytes, DEFAULT_MAX_FRAME).unwrap();
                stream.write_all(&bytes).await.unwrap();
                stream.shutdown().await.unwrap();
                continue;
            }
            let address: doge_rpc::transport::Address = "memory://balanced".parse().unwrap();
            let there = Sockets.connect(address.location(), Duration::from_secs(1));
            let mut there = there.await.unwrap();
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut stream, &mut there).await },
            );
        }
    });
    let client = ProbeClient::connect(&address).unwrap();
    let began = Instant::now();
    assert_eq!(client.echo(1).await, Ok(1));
    assert!(
        began.elapsed() < Duration::from_millis(50),
        "without a pause"
    );
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_pinged_and_a_dead_one_is_found() {
    let server = Handlers::default()
        .server()
        .start("memory://alive")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();
    client.echo(1).await.unwrap();
    // An hour of quiet: the server answers each ping, and the same connection is there.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(client.echo(2).await.unwrap(), 2);

    // A server whose machine is gone: it takes bytes and says nothing, from hello on.
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let listener = doge_rpc::transport::Listener::bind(&"memory://half-open".parse().unwrap())
        .await
        .unwrap();
    drop((ours, theirs));
    let half_open = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, write) = stream.split();
        use tokio::io::AsyncWriteExt as _;
        let hello = doge_rpc::protocol::Hello {
            min_version: 1,
            max_version: 1,
            features: doge_rpc::protocol::Features::NONE,
            max_frame: 1 << 20,
            max_calls: 10,
            max_routes: 10,
            fields: Default::default(),
        };
        let mut bytes = bytes::BytesMut::new();
        let hello = doge_rpc::protocol::Frame {
            call: 0,
            message: doge_rpc::protocol::Message::Hello(hello),
        };
        hello.encode(&mut bytes, 1 << 20).unwrap();
        let mut write = write;
        write.write_all(&bytes).await.unwrap();
        std::future::pending::<()>().await;
        drop(read);
    });
    let limits = Limits::default();
    let found_after = limits.ping_after + limits.ping_timeout;
    let client = ProbeClient::connect("memory://half-open").unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_secs(300)));
    let started = Instant::now();
    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("does not answer pings"),
        "{status}"
    );
    assert!(!status.never_ran());
    let took = started.elapsed();
    assert!(
        took >= found_after && took < found_after + Duration::from_secs(1),
        "{took:?}"
    );
    half_open.abort();
}
