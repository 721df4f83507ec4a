//! Dropping the future cancels the work on the other side.

use doge_rpc::prelude::*;

use crate::support::{Handlers, LIMIT, Probe, ProbeClient, patient};

#[tokio::test]
async fn dropping_a_call_stops_its_handler() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;

    let call = tokio::spawn({
        let client = client.clone();
        async move { client.hang().await }
    });
    handlers.until_running(1).await;
    call.abort();
    handlers.until_running(0).await;
    assert_eq!(client.echo(7).await.unwrap(), 7, "the connection lives on");
}

#[tokio::test]
async fn losing_the_caller_stops_all_its_handlers() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.hang().await })
        })
        .collect();
    handlers.until_running(5).await;
    drop(client);
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    handlers.until_running(0).await;
}

#[service(name = "relay")]
trait Relay {
    async fn hang(&self) -> Result<(), Status>;
}

struct Forward(ProbeClient);

impl Relay for Forward {
    async fn hang(&self) -> Result<(), Status> {
        self.0.hang().await
    }
}

#[tokio::test]
async fn a_cancel_goes_down_the_chain() {
    let handlers = Handlers::default();
    let inner = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let forward = Forward(
        ProbeClient::connect(inner.address())
            .unwrap()
            .with(patient()),
    );
    let outer = Server::builder()
        .add(RelayServer::new(forward))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = RelayClient::connect(outer.address())
        .unwrap()
        .with(patient());

    let call = tokio::spawn(async move { client.hang().await });
    handlers.until_running(1).await;
    call.abort();
    handlers.until_running(0).await;
}

#[tokio::test]
async fn a_late_answer_meets_nobody() {
    let handlers = Handlers::default();
    let (_server, client) = handlers.connected().await;
    for round in 0..50 {
        // Given up with the answer on its way, at one moment or another.
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.echo(1_000).await }
        });
        if round % 2 == 0 {
            tokio::task::yield_now().await;
        }
        call.abort();
        let answer = tokio::time::timeout(LIMIT, client.echo(round))
            .await
            .unwrap();
        assert_eq!(answer.unwrap(), round);
    }
}
