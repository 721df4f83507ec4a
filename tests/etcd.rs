//! Services that find each other through etcd.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    prelude::*,
    registry::{self, Registry, ServiceKey},
    server::Running,
};
use doge_test_support::Etcd;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(30);

#[service]
trait Hello {
    #[rpc(idempotent)]
    async fn hello(&self, name: String) -> Result<String, Status>;
}

struct Greeter;

impl Hello for Greeter {
    async fn hello(&self, name: String) -> Result<String, Status> {
        Ok(format!("Hello, {name}!"))
    }
}

/// A registry of its own, as each process has one.
fn open(etcd: &Etcd) -> Arc<dyn Registry> {
    registry::open(&format!("{}?ttl=2s", etcd.url())).unwrap()
}

async fn serve(registry: &Arc<dyn Registry>) -> Running {
    let server = Server::builder().add(HelloServer::new(Greeter));
    let server = server.registry(registry).start("tcp://127.0.0.1:0");
    server.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_on_while_etcd_is_away_and_over_a_rolling_restart() {
    let mut etcd = Etcd::start();
    let provider = open(&etcd);
    let (first, second) = (serve(&provider).await, serve(&provider).await);
    let consumer = open(&etcd);
    let client = HelloClient::connect_via(&consumer).await.unwrap();
    let mut watch = consumer.watch(ServiceKey::new("Hello")).await.unwrap();
    let call = async |count| {
        for _ in 0..count {
            assert_eq!(client.hello("doge".into()).await.unwrap(), "Hello, doge!");
        }
    };
    call(10).await;

    etcd.kill(0);
    call(1000).await;
    etcd.restart(0);

    let third = serve(&provider).await;
    // The client watches through the same source.
    while watch.snapshot().len() < 3 {
        timeout(LIMIT, watch.changed()).await.unwrap().unwrap();
    }
    call(10).await;
    first.drain().await;
    call(100).await;
    second.drain().await;
    call(100).await;
    third.drain().await;
}
