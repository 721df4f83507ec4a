use std::time::Duration;

use tokio::time::Instant;

use super::{
    super::MsgpackRpcConfig,
    peer::{Peer, call},
};

const SECOND: Duration = Duration::from_secs(1);

fn idle_for(idle: Duration) -> MsgpackRpcConfig {
    MsgpackRpcConfig {
        idle,
        ..MsgpackRpcConfig::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_closed_in_time_without_a_call() {
    let peer = Peer::listen("idle").await;
    let pool = peer.pool(MsgpackRpcConfig::default()).await;
    let (mut line, opened) = (peer.accept().await, Instant::now());
    let served = tokio::spawn(async move {
        line.answer_all().await;
        Instant::now()
    });
    tokio::time::sleep(60 * SECOND).await;
    call(&pool, 1, SECOND).await.unwrap();
    assert_eq!(served.await.unwrap() - opened, 150 * SECOND);
    assert!(!pool.is_closing(), "the next call connects");

    let next = tokio::spawn(async move { call(&pool, 1, SECOND).await });
    let mut line = peer.accept().await;
    let (_, id) = line.asked().await.unwrap();
    assert_eq!(id, 1);
    line.answer(id).await;
    next.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_one_call_after_the_other_needs_stays_and_the_rest_goes() {
    let peer = Peer::listen("busy").await;
    let pool = peer.pool(idle_for(10 * SECOND)).await;
    let serve = async {
        let mut lines = Vec::new();
        for _ in 0..3 {
            let mut line = peer.accept().await;
            lines.push(tokio::spawn(async move { line.answer_all().await }));
        }
        lines
    };
    let calls = futures_util::future::join3(
        call(&pool, 1, SECOND),
        call(&pool, 2, SECOND),
        call(&pool, 3, SECOND),
    );
    let (lines, calls) = tokio::join!(serve, calls);
    for called in [calls.0, calls.1, calls.2] {
        called.unwrap();
    }
    for _ in 0..10 {
        tokio::time::sleep(5 * SECOND).await;
        call(&pool, 1, SECOND).await.unwrap();
    }
    let open = lines.iter().filter(|line| !line.is_finished());
    assert_eq!(open.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_reaper_ends_with_the_pool_and_so_do_idle_connections() {
    let peer = Peer::listen("gone").await;
    let pool = peer.pool(idle_for(Duration::MAX)).await;
    let mut line = peer.accept().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    // The reaper, and what tells that the runtime of the connection lives.
    assert_eq!(tasks(), 2);
    drop(pool);
    assert_eq!(line.asked().await, None);
    // The clock goes on when nobody has anything to do any more.
    tokio::time::sleep(SECOND).await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_idle_time_at_all_still_lets_calls_through() {
    let peer = Peer::listen("at once").await;
    let pool = peer.pool(idle_for(Duration::ZERO)).await;
    let mut line = peer.accept().await;
    let served = tokio::spawn(async move { line.answer_all().await });
    call(&pool, 1, SECOND).await.unwrap();
    served.await.unwrap();
}
