//! Clients that outlive the runtimes that they are used on.

use std::sync::Arc;

use doge_rpc::{
    Disposition,
    client::{ChannelPool, Cluster},
    prelude::*,
    registry::{Registry, ServiceKey, Static},
    server::Running,
};
use tokio::runtime::{Builder, Runtime};

use crate::support::{Handlers, LIMIT, Probe, ProbeClient, patient};

/// More than a channel takes for a server that hangs up at once.
const RUNTIMES: usize = 12;

fn short() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A runtime of threads of its own, and a server on it.
fn serving() -> (Runtime, Running) {
    let runtime = Runtime::new().unwrap();
    let server = Handlers::default().server();
    let server = runtime.block_on(server.start("tcp://127.0.0.1:0")).unwrap();
    (runtime, server)
}

#[test]
fn a_client_works_over_any_number_of_short_runtimes() {
    let (_runtime, server) = serving();
    let tcp = server.address().to_string();
    for address in [tcp.clone(), tcp.replace("tcp://", "doge://")] {
        let client = ProbeClient::connect(&address).unwrap();
        for number in 0..RUNTIMES {
            let answer = short().block_on(client.echo(7));
            assert_eq!(answer, Ok(7), "{address}, runtime {number}");
        }
    }
}

/// Calls of another runtime whose connection went down with its runtime are told so, and the next call reconnects.
#[test]
fn calls_that_lose_their_connection_with_a_runtime_say_so_and_the_next_reconnect() {
    let (runtime, server) = serving();
    let tcp = server.address().to_string();
    for address in [tcp.clone(), tcp.replace("tcp://", "doge://")] {
        let client = ProbeClient::connect(&address).unwrap().with(patient());
        let carrier = Runtime::new().unwrap();
        carrier.block_on(client.echo(1)).unwrap();
        let waiting = runtime.spawn({
            let client = client.clone();
            async move { client.hang().await }
        });
        runtime.block_on(until_running(&server, 1));
        drop(carrier);
        if address.starts_with("tcp") {
            let status = runtime.block_on(waiting).unwrap().unwrap_err();
            assert_eq!(status.code(), Code::Unavailable);
            assert!(!status.never_ran());
            assert!(status.message().contains("runtime"), "{status}");
        }
        assert_eq!(runtime.block_on(client.echo(2)), Ok(2), "{address}");
    }
}

/// A cluster whose connections are carried by runtimes that come and go, with calls in flight each time.
#[test]
fn no_endpoint_is_ejected_for_the_end_of_a_runtime() {
    let (runtime, server) = serving();
    // Of a single endpoint none is ejected. Nobody listens at the other.
    let addresses = [server.address().to_string(), "tcp://127.0.0.1:1".to_owned()];
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    // It runs only where this test lets it, so that others connect.
    let home = short();
    let cluster = Cluster::builder(ServiceKey::new("probe")).registry(&registry);
    let cluster = cluster.pool(&ChannelPool::default());
    let cluster = home.block_on(cluster.follow()).unwrap();
    let client = ProbeClient::new(cluster.clone()).with(patient());
    for number in 0..RUNTIMES {
        let carrier = Runtime::new().unwrap();
        // A call that is given up says nothing of the endpoint. One that is answered would make up for the loss.
        carrier.block_on(async {
            tokio::select! {
                ended = client.hang() => panic!("{number}: {ended:?}"),
                () = until_running(&server, 1) => {}
            }
        });
        runtime.block_on(until_running(&server, 0));
        let lost = runtime.spawn({
            let client = client.clone();
            async move { client.hang().await }
        });
        runtime.block_on(until_running(&server, 1));
        drop(carrier);
        runtime.block_on(until_running(&server, 0));
        let status = runtime.block_on(lost).unwrap().unwrap_err();
        assert_eq!(status.disposition(), Disposition::Interrupted, "{status}");
    }
    // It looks at the health of endpoints with its first poll, and here has several.
    home.block_on(async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    });
    let endpoints = cluster.stats().endpoints;
    assert!(endpoints.iter().all(|it| !it.ejected), "{endpoints:?}");
    assert_eq!(home.block_on(client.echo(2)), Ok(2));
}

/// Waits until so many calls run at the server.
async fn until_running(server: &Running, count: usize) {
    let running = async {
        while server.stats().calls_running != count {
            tokio::task::yield_now().await;
        }
    };
    let running = tokio::time::timeout(LIMIT, running);
    running.await.expect("calls begin and end");
}
