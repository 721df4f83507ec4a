//! Every call ends by its deadline.

use std::time::Duration;

use doge_rpc::prelude::*;
use tokio::{net::TcpListener, time::Instant};

use crate::support::{Handlers, Probe, ProbeClient};

/// Checks how long something takes on the paused clock.
async fn takes<T>(expected: Duration, future: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let output = future.await;
    let took = started.elapsed();
    let slack = Duration::from_millis(2);
    assert!(
        took >= expected && took <= expected + slack,
        "{took:?}, not {expected:?}"
    );
    output
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_timeout_ends_after_a_second_and_its_handler_is_stopped() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .start("memory://deadline-default")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();
    client.echo(1).await.unwrap();

    let status = takes(Duration::from_secs(1), client.hang())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(!status.never_ran());
    handlers.until_running(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_callers_timeout_ends_its_call_and_no_other() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .start("memory://deadline-own")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();
    let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(30)));

    let (hasty, usual) = tokio::join!(
        takes(Duration::from_millis(30), hasty.hang()),
        takes(Duration::from_secs(1), client.hang()),
    );
    assert_eq!(hasty.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(usual.unwrap_err().code(), Code::DeadlineExceeded);
    assert_eq!(client.echo(7).await.unwrap(), 7, "the connection lives on");
}

#[tokio::test(start_paused = true)]
async fn the_time_that_is_left_travels() {
    let server = Handlers::default()
        .server()
        .start("memory://deadline-travels")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(250)));
    let left = client.time_left().await.unwrap();
    assert!((240..=250).contains(&left), "{left}");
}

#[service(name = "outer")]
trait Outer {
    async fn inner_time_left(&self, wait: u64) -> Result<u64, Status>;
}

struct Nested(ProbeClient);

impl Outer for Nested {
    async fn inner_time_left(&self, wait: u64) -> Result<u64, Status> {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        // It asks for more than there is.
        self.0
            .with(CallOptions::new().timeout(Duration::from_secs(60)))
            .time_left()
            .await
    }
}

#[tokio::test(start_paused = true)]
async fn a_nested_call_inherits_what_remains() {
    let inner = Handlers::default()
        .server()
        .start("memory://deadline-inner")
        .await
        .unwrap();
    let nested = Nested(ProbeClient::connect(inner.address()).unwrap());
    let outer = Server::builder()
        .add(OuterServer::new(nested))
        .start("memory://deadline-outer")
        .await
        .unwrap();
    let client = OuterClient::connect(outer.address()).unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(500)));

    let left = client.inner_time_left(200).await.unwrap();
    assert!((280..=300).contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_calls_and_is_silent_costs_the_deadline() {
    let listener = doge_rpc::transport::Listener::bind(&"memory://silent".parse().unwrap())
        .await
        .unwrap();
    let silent = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok(connection) = listener.accept().await {
            connections.push(connection);
        }
    });
    let client = ProbeClient::connect("memory://silent").unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(300)));
    let status = takes(Duration::from_millis(300), client.echo(1))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.never_ran(), "no hello came, so nothing was sent");
    silent.abort();
}

#[tokio::test]
async fn a_real_socket_that_is_never_answered_costs_the_deadline() {
    // Listens, and never accepts: the kernel takes the connection and the bytes.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = ProbeClient::connect(format!("tcp://{}", listener.local_addr().unwrap())).unwrap();
    let client = client.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn the_same_deadline_holds_in_process() {
    let handlers = Handlers::default();
    let client = ProbeClient::local(handlers.clone());
    let status = takes(Duration::from_secs(1), client.hang())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    handlers.until_running(0).await;
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_waits_is_held_to_the_deadline() {
    #[derive(Clone)]
    struct Stuck;

    impl tower::Service<doge_rpc::Request> for Stuck {
        type Response = doge_rpc::Response;
        type Error = Status;
        type Future = std::future::Pending<Result<doge_rpc::Response, Status>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Status>> {
            std::task::Poll::Pending
        }

        fn call(&mut self, _: doge_rpc::Request) -> Self::Future {
            std::future::pending()
        }
    }

    let client = ProbeClient::new(Client::service(Stuck));
    let status = takes(Duration::from_secs(1), client.echo(1))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}
