//! Limits, deadlines and drains hold for these peers as for native ones.

use std::time::Duration;

use doge_rpc::{
    connection::Limits,
    msgpack_rpc::{MsgId, Options},
};

use serde::de::IgnoredAny;

use crate::{
    calculator::{serve, serve_options, serve_with},
    peer::{LIMIT, Peer, request},
};

#[tokio::test]
async fn calls_over_the_limit_of_a_connection_wait_and_others_do_not() {
    let limits = Limits {
        max_calls: 1,
        ..Limits::default()
    };
    let (server, mut inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    peer.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    peer.request(2, "note", &("runs",)).await;
    let mut other = Peer::connect(&server).await;
    assert_eq!(other.call("sum", &(1, 2)).await, Ok(3));
    inside.notes.try_recv().unwrap_err();
    inside.go.notify_one();
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(())));
    assert_eq!(peer.answer().await, (MsgId::from(2), Ok(())));
    assert_eq!(inside.notes.recv().await.unwrap(), "runs");
}

#[tokio::test]
async fn calls_that_wait_for_those_that_hang_run_once_these_are_stopped() {
    let limits = Limits {
        max_calls: 2,
        ..Limits::default()
    };
    let (server, _inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    for id in 0..6 {
        peer.request(id, "hang", &[(); 0]).await;
    }
    peer.request(6, "sum", &(1, 2)).await;
    for id in 0..6 {
        let (answered, late) = peer.answer::<()>().await;
        assert_eq!(answered, MsgId::from(id));
        late.unwrap_err();
    }
    assert_eq!(peer.answer().await, (MsgId::from(6), Ok(3)));
}

#[tokio::test]
async fn calls_over_the_limit_of_the_server_are_refused() {
    let (server, mut inside) = serve_with(|server| server.max_calls(1)).await;
    let mut waiting = Peer::connect(&server).await;
    waiting.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    let mut peer = Peer::connect(&server).await;
    let refused = peer.call::<i64>("sum", &(1, 2)).await;
    assert_eq!(refused, Err("1 calls run on this server already".into()));
    inside.go.notify_one();
    assert_eq!(waiting.answer().await, (MsgId::from(1), Ok(())));
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so_in_their_own_words() {
    let (server, _inside) = serve_with(|server| server.max_connections(1)).await;
    let mut first = Peer::connect(&server).await;
    assert_eq!(first.call("sum", &(1, 2)).await, Ok(3));
    let mut second = Peer::connect(&server).await;
    let refused = second.call::<i64>("sum", &(1, 2)).await.unwrap_err();
    assert_eq!(
        refused,
        "the server has 1 connections, which is all that it takes"
    );
    assert!(second.message().await.is_none());
    // Also one that begins with a notification, which is not what is answered.
    let mut notifying = Peer::connect(&server).await;
    // In one piece: the server waits for a request for a moment only.
    let request = request(1, "sum", &(1, 2));
    let both = [&b"\x93\x02\xa4note\x91\xa1x"[..], &request].concat();
    notifying.send(&both).await;
    let (id, told) = notifying.answer::<i64>().await;
    assert_eq!((id, told), (MsgId::from(1), Err(refused.clone())));
    // Also one whose request is large, or does not come to its end.
    let mut large = Peer::connect(&server).await;
    let told = large.call::<usize>("blob", &("x".repeat(1 << 20),)).await;
    assert_eq!(told.unwrap_err(), refused);
    let mut slow = Peer::connect(&server).await;
    slow.send(b"\x94\x00\x01\xa3su").await;
    let (id, told) = slow.answer::<i64>().await;
    assert_eq!((id, told.unwrap_err()), (MsgId::NONE, refused));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_answered_and_the_connection_goes_on() {
    let server = serve_options(Options {
        max_message: 1000,
        ..Options::default()
    })
    .await;
    let mut peer = Peer::connect(&server).await;
    let large = "x".repeat(10_000_000);
    let error = peer.call::<usize>("blob", &(large,)).await.unwrap_err();
    assert!(error.contains("larger than the 1000 bytes"), "{error}");
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
}

#[tokio::test]
async fn a_result_over_a_limit_of_values_is_an_error_that_names_the_limit() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for (elements, levels) in [(1 << 20, 1), (0, 128)] {
        let result = peer.call::<IgnoredAny>("shape", &(elements, levels)).await;
        result.unwrap();
    }
    for (elements, levels, why) in [
        (2_000_000, 1, "more than 1048576 elements"),
        (0, 1000, "nested deeper than 128 levels"),
    ] {
        let shaped = peer.call::<IgnoredAny>("shape", &(elements, levels)).await;
        let error = shaped.unwrap_err();
        assert!(error.contains(why), "{error}");
        assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    }
}

#[tokio::test]
async fn an_idle_connection_stays() {
    let limits = Limits {
        handshake_timeout: Duration::from_millis(50),
        frame_timeout: Duration::from_millis(50),
        ping_after: Duration::from_millis(50),
        ping_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let (server, _inside) = serve_with(|server| server.limits(limits)).await;
    // One has not said anything yet, the other nothing for a while. There is no event to wait for where nothing happens.
    let (mut silent, mut idle) = (Peer::connect(&server).await, Peer::connect(&server).await);
    assert_eq!(idle.call("sum", &(1, 2)).await, Ok(3));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(silent.call("sum", &(1, 2)).await, Ok(3));
    assert_eq!(idle.call("sum", &(1, 2)).await, Ok(3));
}

#[tokio::test]
async fn a_message_that_takes_too_long_ends_the_connection_with_a_word() {
    let limits = Limits {
        frame_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let (server, _inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x94\x00\x01\xa3su").await;
    let (id, error) = peer.answer::<()>().await;
    assert_eq!(id, MsgId::NONE);
    assert_eq!(error, Err("a message took too long".into()));
    assert!(peer.message().await.is_none());
}

/// A drain loses nothing: whoever has not heard of it yet goes on calling.
#[tokio::test]
async fn a_drain_answers_until_the_connection_is_quiet() {
    let (server, mut inside) = serve_with(|server| server).await;
    let (mut waiting, mut idle) = (Peer::connect(&server).await, Peer::connect(&server).await);
    let mut silent = Peer::connect(&server).await;
    waiting.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    assert_eq!(idle.call("sum", &(1, 2)).await, Ok(3));

    let address = server.address().to_string();
    let draining = tokio::spawn(server.drain());
    let host = address.strip_prefix("tcp://").unwrap().to_owned();
    let refused = async { while tokio::net::TcpStream::connect(&host).await.is_ok() {} };
    tokio::time::timeout(LIMIT, refused)
        .await
        .expect("it takes no more connections");
    assert_eq!(idle.call("sum", &(1, 2)).await, Ok(3), "it was not told");
    assert_eq!(silent.call("sum", &(1, 2)).await, Ok(3), "nor was this one");
    inside.go.notify_one();
    assert_eq!(waiting.answer().await, (MsgId::from(1), Ok(())));
    for mut peer in [waiting, idle, silent] {
        assert!(peer.message().await.is_none());
    }
    draining.await.unwrap();
}

#[tokio::test]
async fn those_that_have_said_nothing_do_not_hold_up_a_drain() {
    let server = serve().await;
    let mut silent = Peer::connect(&server).await;
    let begun = std::time::Instant::now();
    server.drain().await;
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "the grace time is longer"
    );
    assert!(silent.message().await.is_none());
}
