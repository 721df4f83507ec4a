//! Overload is its own status, with the time to stay away; and waiting for room is in order, and bounded in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    client::{Channel, ChannelConfig},
    connection::Limits,
    prelude::*,
    server::Running,
};

use crate::support::{Handlers, Probe, ProbeClient, patient};

#[tokio::test]
async fn a_full_server_refuses_with_pushback_and_goes_on() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .max_calls(2)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address())
        .unwrap()
        .with(patient());
    let gated: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.gated().await })
        })
        .collect();
    handlers.until_running(2).await;

    let status = client.gated().await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.never_ran());
    assert_eq!(status.pushback(), Some(Duration::from_millis(100)));
    assert_eq!(handlers.started(), 2);

    handlers.open_gate();
    handlers.open_gate();
    for call in gated {
        call.await.unwrap().unwrap();
    }
    assert_eq!(client.echo(7).await.unwrap(), 7);
}

/// A client that has so many calls in flight at most.
fn narrow(server: &Running, max_calls: u32) -> ProbeClient {
    let limits = Limits {
        max_calls,
        ..Limits::default()
    };
    let config = ChannelConfig {
        limits,
        ..ChannelConfig::default()
    };
    ProbeClient::new(Channel::with_config(server.address().clone(), config))
}

#[tokio::test]
async fn callers_wait_for_room_on_a_full_connection() {
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let client = narrow(&server, 4).with(patient());

    let calls: Vec<_> = (0..100)
        .map(|value| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(value).await })
        })
        .collect();
    for (value, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), value);
    }
}

/// Or else those who call again and again would leave no room to those who wait.
#[tokio::test]
async fn who_waits_for_room_comes_before_who_was_just_served() {
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let client = narrow(&server, 1).with(patient());
    client.echo(0).await.unwrap();

    let served = Arc::new(AtomicUsize::new(0));
    let busy = tokio::spawn({
        let (client, served) = (client.clone(), Arc::clone(&served));
        async move {
            loop {
                client.echo(1).await.unwrap();
                served.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for _ in 0..100 {
        let before = served.load(Ordering::Relaxed);
        client.echo(2).await.unwrap();
        let meanwhile = served.load(Ordering::Relaxed) - before;
        assert!(meanwhile <= 2, "{meanwhile} calls overtook one that waited");
    }
    busy.abort();
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_finds_no_room_in_time_never_ran() {
    let handlers = Handlers::default();
    let server = handlers.server().start("memory://no-room").await.unwrap();
    let client = narrow(&server, 1);
    let first = tokio::spawn({
        let client = client.with(patient());
        async move { client.gated().await }
    });
    handlers.until_running(1).await;

    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.never_ran());
    handlers.open_gate();
    first.await.unwrap().unwrap();
    assert_eq!(client.echo(2).await.unwrap(), 2);
}

#[tokio::test]
async fn connections_over_the_limit_are_told_so() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .max_connections(1)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let first = ProbeClient::connect(server.address()).unwrap();
    first.echo(1).await.unwrap();

    let status = ProbeClient::connect(server.address())
        .unwrap()
        .echo(2)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
    assert!(
        status
            .message()
            .contains("1 connections, which is all that it takes"),
        "{status}"
    );
    assert_eq!(first.echo(3).await.unwrap(), 3);
}

#[tokio::test]
async fn a_call_over_the_frame_limit_is_refused_before_it_is_sent() {
    #[service]
    trait Blob {
        async fn put(&self, data: String) -> Result<usize, Status>;
    }

    struct Store;

    impl Blob for Store {
        async fn put(&self, data: String) -> Result<usize, Status> {
            Ok(data.len())
        }
    }

    let limits = Limits {
        max_frame: 64 * 1024,
        ..Limits::default()
    };
    let server = Server::builder()
        .add(BlobServer::new(Store))
        .limits(limits)
        .start("tcp://127.0.0.1:0");
    let server = server.await.unwrap();
    let client = BlobClient::connect(server.address()).unwrap();
    assert_eq!(client.put("x".repeat(60_000)).await.unwrap(), 60_000);
    let status = client.put("x".repeat(70_000)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.never_ran());
    assert!(
        status.message().contains("over the limit of 65536"),
        "{status}"
    );
    assert_eq!(client.put("x".into()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_goes_on_after_its_client_has_read_slowly() {
    #[service]
    trait Blob {
        async fn get(&self, bytes: usize) -> Result<String, Status>;
    }

    struct Store;

    impl Blob for Store {
        async fn get(&self, bytes: usize) -> Result<String, Status> {
            Ok("x".repeat(bytes))
        }
    }

    // Each answer alone is over what may wait to be written, so calls are held back again and again.
    let limits = Limits {
        max_unwritten: 10_000,
        ..Limits::default()
    };
    for address in ["memory://slow-reader", "tcp://127.0.0.1:0"] {
        let server = Server::builder()
            .add(BlobServer::new(Store))
            .limits(limits.clone());
        let server = server.start(address).await.unwrap();
        let client = BlobClient::connect(server.address())
            .unwrap()
            .with(patient());
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.get(100_000).await })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap().len(), 100_000, "{address}");
        }
    }
}
