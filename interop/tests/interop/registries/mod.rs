//! The published dogerpc and ours find each other: in the API that etcd had before version 3, where Python doge has its
//! registry, and by a bridge from there to ours.

mod bridge;
mod calls;
mod found;
mod outages;
mod process;
mod shared;

use std::{sync::Arc, time::Duration};

use doge_interop::{MethodsClient, MethodsServer, Ours, dogerpc};
use doge_rpc::{
    client::{Balancing, ChannelPool, Cluster, LoadBalancing},
    prelude::*,
    registry,
    server::Running,
    transport::Dialect,
};
use doge_test_support::Etcd;
use serde_json::Value;

/// How long registrations live without being refreshed, in seconds.
const TTL: u32 = 2;

/// The service, by which both sides look for it.
const SERVICE: &str = "test";

/// What `shown(true)` answers, of both kinds of servers.
const OF_BOTH: [&str; 2] = ["True", "true"];
const OF_PYTHON: [&str; 1] = ["True"];
const OF_RUST: [&str; 1] = ["true"];

/// An etcd with both versions of its API.
fn etcd() -> Etcd {
    Etcd::options().v2().start()
}

/// Python doge's registry, as dogerpc takes it.
fn of_python(etcd: &Etcd) -> Value {
    dogerpc::etcd(&etcd.addresses()[0], TTL)
}

/// The same, as our side opens it: with more patience for a list that lacks most than servers need to set their keys anew.
fn v2_url(etcd: &Etcd) -> String {
    let address = &etcd.addresses()[0];
    format!("etcd-v2://{address}?meta=no&ttl={TTL}s&confirm=2s")
}

/// Our own registry.
fn v3_url(etcd: &Etcd) -> String {
    format!("{}?ttl={TTL}s&confirm=2s", etcd.url())
}

fn open(url: &str) -> Arc<dyn Registry> {
    registry::open(url).unwrap()
}

/// A server in this process.
async fn serve(registry: &Arc<dyn Registry>) -> Running {
    let server = Server::builder().add(MethodsServer::new(Ours::default()));
    let server = server.registry(registry).start("tcp://127.0.0.1:0");
    server.await.unwrap()
}

/// A client that calls all instances in turn, and the cluster that it calls.
async fn in_turn(registry: &Arc<dyn Registry>) -> (MethodsClient, Cluster) {
    let balancing = Balancing {
        policy: LoadBalancing::RoundRobin,
        slow_start: None,
        ..Balancing::default()
    };
    let cluster = MethodsClient::cluster()
        .registry(registry)
        // Through a bridge, Python's instances are in a registry that others write to.
        .dialects([Dialect::Native, Dialect::MsgpackRpc])
        .pool(&ChannelPool::default())
        .balancing(balancing);
    let cluster = cluster.follow().await.unwrap();
    (patient(MethodsClient::new(cluster.clone())), cluster)
}

/// Its calls have more time than they need on a machine with other work to do.
fn patient(client: MethodsClient) -> MethodsClient {
    client.with(CallOptions::new().timeout(Duration::from_secs(10)))
}
