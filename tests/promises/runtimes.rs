//! Clients that outlive the runtimes that they are used on.

use std::sync::Arc;

use doge_rpc::{
    client::Cluster,
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
        let stats = || {
            server
                .stats()
                .methods
                .iter()
                .map(|it| it.in_flight)
                .sum::<u64>()
        };
        runtime.block_on(async {
            tokio::time::timeout(LIMIT, async {
                while stats() == 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .expect("the call runs");
        });
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

/// A cluster that lives on one runtime and is called from others, which come and go.
#[test]
fn no_endpoint_is_blamed_for_the_end_of_a_runtime() {
    let (runtime, server) = serving();
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([server.address().to_string()]));
    let cluster = Cluster::builder(ServiceKey::new("probe")).registry(&registry);
    let cluster = runtime.block_on(cluster.follow()).unwrap();
    let client = ProbeClient::new(cluster.clone()).with(patient());
    for _ in 0..RUNTIMES {
        let carrier = Runtime::new().unwrap();
        assert_eq!(carrier.block_on(client.echo(1)), Ok(1));
        drop(carrier);
        assert_eq!(runtime.block_on(client.echo(2)), Ok(2));
    }
    let stats = cluster.stats();
    assert!(!stats.endpoints[0].ejected);
    assert_eq!(stats.endpoints[0].failures.iter().count(), 0, "{stats:?}");
}
