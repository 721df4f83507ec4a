//! A drain loses nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    prelude::*,
    registry::{Memory, Registry},
};

use crate::support::{Handlers, LIMIT, Probe, ProbeClient, patient};

#[tokio::test]
async fn a_drain_finishes_what_runs_and_takes_no_more() {
    let handlers = Handlers::default();
    let (server, client) = handlers.connected().await;
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.gated().await }
    });
    handlers.until_running(1).await;

    let drained = tokio::spawn(server.drain());
    // New calls find nobody, and never ran; the one that runs is let finish.
    loop {
        match client.echo(1).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable);
                assert!(status.never_ran());
                break;
            }
        }
    }
    assert!(!drained.is_finished());
    handlers.open_gate();
    running.await.unwrap().unwrap();
    drained.await.unwrap();
}

#[tokio::test]
async fn a_caller_that_gives_up_during_a_drain_stops_its_handler_and_ends_the_drain() {
    let handlers = Handlers::default();
    let (server, client) = handlers.connected().await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.hang().await }
    });
    handlers.until_running(1).await;
    let drained = tokio::spawn(server.drain());
    while client.echo(1).await.is_ok() {
        tokio::task::yield_now().await;
    }
    call.abort();
    handlers.until_running(0).await;
    // Well before the grace time of 20 s.
    tokio::time::timeout(LIMIT, drained)
        .await
        .expect("the drain ends")
        .unwrap();
}

#[tokio::test]
async fn what_outlives_the_grace_time_is_stopped() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .grace(Duration::from_millis(50))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address())
        .unwrap()
        .with(patient());
    let call = tokio::spawn(async move { client.hang().await });
    handlers.until_running(1).await;
    server.drain().await;
    handlers.until_running(0).await;
    assert_eq!(call.await.unwrap().unwrap_err().code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_under_load_fails_no_call() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let handlers = Handlers::default();
    let start = || {
        handlers
            .server()
            .registry(&registry)
            .start("tcp://127.0.0.1:0")
    };
    let mut servers = vec![
        start().await.unwrap(),
        start().await.unwrap(),
        start().await.unwrap(),
    ];

    let client = ProbeClient::connect_via(&registry)
        .await
        .unwrap()
        .with(patient());
    let (stop, calls) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let load: Vec<_> = (0..32)
        .map(|_| {
            let (client, stop, calls) = (client.clone(), Arc::clone(&stop), Arc::clone(&calls));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let value = calls.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(client.echo(value).await.unwrap(), value);
                }
            })
        })
        .collect();

    for _ in 0..12 {
        let before = calls.load(Ordering::Relaxed);
        servers.push(start().await.unwrap());
        servers.remove(0).drain().await;
        while calls.load(Ordering::Relaxed) < before + 500 {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for caller in load {
        caller.await.unwrap();
    }
    assert_eq!(
        handlers.started() as u64,
        calls.load(Ordering::Relaxed),
        "each call ran once"
    );
}
