//! One answer to each request, in the order of the requests.

use std::time::{Duration, Instant};

use doge_rpc::{connection::Limits, msgpack_rpc::MsgId};

use crate::{
    calculator::{serve, serve_with},
    peer::{LIMIT, Peer, request},
};

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests_though_they_run_at_once() {
    let (server, mut inside) = serve_with(|server| server).await;
    let mut peer = Peer::connect(&server).await;
    peer.request(1, "wait", &[(); 0]).await;
    peer.request(2, "wait", &[(); 0]).await;
    peer.request(3, "sum", &(1, 2)).await;
    peer.request(4, "unknown", &(1, 2)).await;
    peer.send(b"\x94\x00\x05\xa3sum\xc0").await;
    for _ in 0..2 {
        assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    }
    inside.go.notify_waiters();
    for id in [1, 2] {
        assert_eq!(peer.answer().await, (MsgId::from(id), Ok(())));
    }
    assert_eq!(peer.answer().await, (MsgId::from(3), Ok(3)));
    assert_eq!(peer.answer::<()>().await.0, MsgId::from(4));
    let (id, error) = peer.answer::<()>().await;
    assert_eq!(id, MsgId::from(5));
    assert_eq!(error, Err("the params are an array".into()));
}

#[tokio::test]
async fn thousands_of_requests_at_once_get_an_answer_each() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let all: Vec<u8> = (0..5000)
        .flat_map(|id| request(id, "sum", &(id, 1)))
        .collect();
    peer.send(&all).await;
    for id in 0..5000_u32 {
        assert_eq!(
            peer.answer().await,
            (MsgId::from(u64::from(id)), Ok(id + 1))
        );
    }
}

#[tokio::test]
async fn a_request_in_pieces_is_answered_once_it_is_whole() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    for byte in request(1, "sum", &(1, 2)) {
        peer.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
}

/// Defect 13 from the other side: a call that is given up must not leave an answer behind for the next one.
#[tokio::test]
async fn a_call_past_its_deadline_is_answered_once() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let late = peer.call::<()>("hang", &[(); 0]).await;
    assert_eq!(
        late,
        Err("test.calculator/hang was stopped: the deadline passed".into())
    );
    for number in 0..10 {
        assert_eq!(peer.call("sum", &(number, 1)).await, Ok(number + 1));
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_calls() {
    let (server, mut inside) = serve_with(|server| server).await;
    let mut peer = Peer::connect(&server).await;
    peer.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    drop(peer);
    // Its deadline is as far as this.
    let over = tokio::time::timeout(LIMIT / 2, inside.over.notified());
    over.await.expect("it is stopped");
}

#[tokio::test]
async fn what_was_asked_before_a_client_says_no_more_is_answered() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    peer.request(1, "sum", &(1, 2)).await;
    peer.end().await;
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
    assert!(peer.message().await.is_none());
}

/// The answers that kept the connection from reading on may be written by the task of the call that they waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_behind_answers_that_were_held_back_are_read_once_these_have_left() {
    let limits = Limits {
        max_unwritten: 4096,
        ..Limits::default()
    };
    let (server, mut inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    peer.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    // There is nothing to wait for: its answer is held back, and what comes after that is not read.
    peer.request(2, "size", &(10_000,)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    peer.request(3, "sum", &(1, 2)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    inside.go.notify_one();
    for id in [1, 2, 3] {
        assert_eq!(peer.message().await.unwrap().id(), Some(MsgId::from(id)));
    }
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "they waited for a timer"
    );
}
