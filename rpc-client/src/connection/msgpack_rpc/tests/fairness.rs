use std::{sync::Arc, time::Duration};

use doge_rpc_core::Code;
use futures_util::FutureExt as _;

use super::{
    super::MsgpackRpcConfig,
    peer::{Peer, call},
};

const SECOND: Duration = Duration::from_secs(1);

fn at_most(connections: usize) -> MsgpackRpcConfig {
    MsgpackRpcConfig {
        connections,
        ..MsgpackRpcConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn callers_get_connections_in_the_order_in_which_they_came_and_newcomers_come_last() {
    let peer = Peer::listen("in order").await;
    let pool = peer.pool(at_most(1)).await;
    let mut line = peer.accept().await;
    let mut calls = Vec::new();
    let mut come = async |number| {
        let pool = Arc::clone(&pool);
        calls.push(tokio::spawn(
            async move { call(&pool, number, SECOND).await },
        ));
        tokio::task::yield_now().await;
    };
    for number in 0..5 {
        come(number).await;
    }
    for number in 0..10 {
        let (asked, id) = line.asked().await.unwrap();
        assert_eq!((asked, id), (number, number + 1));
        if number < 5 {
            // It comes at the very moment at which the connection is free.
            line.answer(id).await;
            come(number + 5).await;
        } else {
            line.answer(id).await;
        }
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_holds_nobody_up() {
    let peer = Peer::listen("gives up").await;
    let pool = peer.pool(at_most(1)).await;
    let mut line = peer.accept().await;
    let calls = [3 * SECOND, SECOND, 3 * SECOND].map(|time| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, 1, time).await })
    });
    let (_, id) = line.asked().await.unwrap();
    tokio::time::sleep(2 * SECOND).await;
    line.answer(id).await;
    let (_, id) = line.asked().await.unwrap();
    line.answer(id).await;
    let [first, second, third] = calls;
    first.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    let status = second.await.unwrap().unwrap_err();
    assert_eq!(
        (status.code(), status.never_ran()),
        (Code::DeadlineExceeded, true)
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_there_is_one_all_the_same() {
    let peer = Peer::listen("none").await;
    let pool = peer.pool(at_most(0)).await;
    let mut line = peer.accept().await;
    tokio::spawn(async move { line.answer_all().await });
    call(&pool, 1, SECOND).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_over_is_not_begun() {
    let peer = Peer::listen("over").await;
    let pool = peer.pool(at_most(1)).await;
    let status = call(&pool, 1, Duration::ZERO).await.unwrap_err();
    assert_eq!(
        (status.code(), status.never_ran()),
        (Code::DeadlineExceeded, true)
    );
    let mut line = peer.accept().await;
    drop(pool);
    assert_eq!(line.asked().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_made_for_a_call_that_gave_up_is_there_for_the_next() {
    let peer = Peer::listen("kept").await;
    let pool = peer.pool(at_most(2)).await;
    let mut first = peer.accept().await;
    let busy = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, 1, SECOND).await })
    };
    let (_, id) = first.asked().await.unwrap();
    let given_up = call(&pool, 2, SECOND).now_or_never();
    assert!(given_up.is_none());
    let mut second = peer.accept().await;
    let next = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, 3, SECOND).await })
    };
    assert_eq!(second.asked().await, Some((3, 1)));
    second.answer(1).await;
    first.answer(id).await;
    busy.await.unwrap().unwrap();
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_connections_any_more_closes_the_pool_and_ends_the_waiting() {
    let peer = Peer::listen("refuses").await;
    let pool = peer.pool(at_most(2)).await;
    let mut line = peer.accept().await;
    let busy = {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, 1, SECOND).await })
    };
    let (_, id) = line.asked().await.unwrap();
    drop(peer);
    let status = call(&pool, 2, SECOND).await.unwrap_err();
    assert_eq!(
        (status.code(), status.never_ran()),
        (Code::Unavailable, true)
    );
    assert!(status.message().contains("memory://refuses"), "{status}");
    assert!(pool.is_closing());
    // What is under way goes on, and is the last on its connection.
    line.answer(id).await;
    busy.await.unwrap().unwrap();
    assert_eq!(line.asked().await, None);
}

/// A server that has no room for a further connection closes it at once, before anything is asked.
#[tokio::test(start_paused = true)]
async fn a_call_whose_connection_is_refused_waits_for_one_that_works() {
    let peer = Peer::listen("full").await;
    let pool = peer.pool(at_most(4)).await;
    let mut line = peer.accept().await;
    let answering = call(&pool, 0, SECOND);
    let (answered, asked) = tokio::join!(answering, async {
        let (asked, id) = line.asked().await.unwrap();
        line.answer(id).await;
        asked
    });
    answered.unwrap();
    assert_eq!(asked, 0);

    let refusing = tokio::spawn(async move {
        loop {
            drop(peer.accept().await);
        }
    });
    let calls = [1, 2, 3].map(|number| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move { call(&pool, number, SECOND).await })
    });
    for number in 1..=3 {
        let (asked, id) = line.asked().await.unwrap();
        assert_eq!(asked, number);
        // The others have been refused by now.
        tokio::time::sleep(SECOND / 10).await;
        line.answer(id).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(!pool.is_closing());
    refusing.abort();
}

/// Where no other connection works, there is nothing to wait for.
#[tokio::test(start_paused = true)]
async fn a_server_that_closes_all_connections_at_once_closes_the_pool() {
    let peer = Peer::listen("closes").await;
    let pool = peer.pool(at_most(4)).await;
    let _refusing = tokio::spawn(async move {
        loop {
            drop(peer.accept().await);
        }
    });
    tokio::task::yield_now().await;
    let status = call(&pool, 1, SECOND).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran(), "{status}");
    assert!(status.message().contains("memory://closes"), "{status}");
}
