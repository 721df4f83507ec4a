//! Services that find each other through DNS, with a name server and two servers on loopback.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[path = "common/mod.rs"]
mod common;
#[path = "common/logs.rs"]
mod logs;

use std::sync::Arc;

use doge_rpc::{
    client::{ChannelPool, Cluster},
    prelude::*,
    registry::{Instance, Registry, ServiceKey, open},
    server::Running,
};
use doge_test_support::{Mood, NameServer, free_port};
use tracing::level_filters::LevelFilter;

use crate::{
    common::{patient, until, until_called},
    logs::Log,
};

const NAME: &str = "hr-where.svc.";
const HOSTS: [&str; 2] = ["127.0.0.1", "127.0.0.2"];

#[service(name = "hr.where")]
trait Where {
    #[rpc(idempotent)]
    async fn host(&self) -> Result<String, Status>;
}

struct At(&'static str);

impl Where for At {
    async fn host(&self) -> Result<String, Status> {
        Ok(self.0.to_owned())
    }
}

/// A server at each host, with the same port.
async fn servers() -> (u16, [Running; 2]) {
    loop {
        let port = free_port();
        let serve = |host| {
            let server = Server::builder().add(WhereServer::new(At(host)));
            server.start(format!("tcp://{host}:{port}"))
        };
        let [one, other] = HOSTS.map(serve);
        // Somebody else may have the port of the other host.
        if let (Ok(one), Ok(other)) = (one.await, other.await) {
            return (port, [one, other]);
        }
    }
}

fn registry(names: &NameServer, port: u16, refresh: &str) -> Arc<dyn Registry> {
    let server = names.address();
    let url = format!("dns://{{service}}.svc.:{port}?server={server}&refresh={refresh}&timeout=1s");
    open(&url).unwrap()
}

async fn follow(registry: &Arc<dyn Registry>) -> (Cluster, WhereClient) {
    let cluster = WhereClient::cluster().registry(registry);
    let cluster = cluster.pool(&ChannelPool::default()).follow().await;
    let cluster = cluster.unwrap();
    let client = WhereClient::new(cluster.clone()).with(patient());
    (cluster, client)
}

fn addresses(cluster: &Cluster) -> Vec<String> {
    let endpoints = cluster.stats().endpoints.into_iter();
    endpoints.map(|endpoint| endpoint.address).collect()
}

#[tokio::test]
async fn a_cluster_follows_the_records_and_no_call_fails() {
    let names = NameServer::start();
    let (port, servers) = servers().await;
    let [one, other] = HOSTS.map(|host| format!("tcp://{host}:{port}"));
    let host = async |client: &WhereClient| client.host().await.unwrap();
    names.set(NAME, 0, ["A 127.0.0.1"]);
    let (cluster, client) = follow(&registry(&names, port, "100ms..200ms")).await;
    assert_eq!(host(&client).await, HOSTS[0]);

    // Added.
    names.set(NAME, 0, ["A 127.0.0.1", "A 127.0.0.2"]);
    until_called(async || host(&client).await == HOSTS[1]).await;
    assert_eq!(addresses(&cluster), [one, other.clone()]);

    // Removed.
    names.set(NAME, 0, ["A 127.0.0.2"]);
    until(|| addresses(&cluster) == [other.clone()]).await;
    let [first, second] = servers;
    first.drain().await;
    for _ in 0..20 {
        assert_eq!(host(&client).await, HOSTS[1]);
    }

    // Calls do not depend on the name server.
    names.becomes(Mood::NxDomain);
    let asked = names.questions().len();
    until(|| names.questions().len() > asked + 4).await;
    assert_eq!(host(&client).await, HOSTS[1]);
    assert_eq!(addresses(&cluster), [other]);
    drop(second);
}

#[tokio::test]
async fn a_cluster_that_cannot_connect_has_the_name_looked_up_before_the_records_are_old() {
    let names = NameServer::start();
    let (port, [first, _second]) = servers().await;
    names.set(NAME, 3600, ["A 127.0.0.1"]);
    let (_cluster, client) = follow(&registry(&names, port, "100ms..60m")).await;
    assert_eq!(client.host().await.unwrap(), HOSTS[0]);
    names.set(NAME, 3600, ["A 127.0.0.2"]);
    first.drain().await;
    until_called(async || client.host().await.is_ok_and(|host| host == HOSTS[1])).await;
}

#[tokio::test]
async fn a_name_that_is_gone_is_one_warning_with_all_that_is_needed() {
    let names = NameServer::start();
    names.set(NAME, 0, ["A 127.0.0.1"]);
    let registry = registry(&names, 4399, "100ms..200ms");
    let watch = registry.watch(ServiceKey::new("hr.where")).await.unwrap();
    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let told = || log.lines("doge_registry");
    for mood in [Mood::NxDomain, Mood::ServFail, Mood::Empty] {
        names.becomes(mood);
        let asked = names.questions().len();
        until(|| names.questions().len() > asked + 4).await;
    }
    let warnings = told();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let server = names.address().to_string();
    for part in [
        "WARN",
        "service=default/hr.where/1",
        "name=hr-where.svc.",
        &server,
        "does not exist (NXDOMAIN)",
        "instances=1",
        "age=",
        "the last list stays",
        "`dig`",
    ] {
        assert!(warnings[0].contains(part), "{part}: {warnings:?}");
    }
    names.becomes(Mood::Honest);
    until(|| told().len() == 2).await;
    assert!(told()[1].contains("has instances again"), "{:?}", told());
    drop(watch);
}

#[tokio::test]
async fn a_server_that_registers_in_dns_starts_and_is_told_that_nothing_is_registered() {
    let url = "dns://{service}.svc:4399";
    let registry = open(url).unwrap();
    let (log, guard) = Log::capture(LevelFilter::WARN);
    let server = Server::builder().add(WhereServer::new(At(HOSTS[0])));
    let server = server.registry(&registry).start("tcp://127.0.0.1:0").await;
    let server = server.unwrap();
    log.is_one_line_saying(&[url, &server.address().to_string(), "registers nothing"]);
    drop(guard);

    let (log, _guard) = Log::capture(LevelFilter::INFO);
    let instance = Instance::new(ServiceKey::new("hr.where"), "tcp://10.0.0.1:4399");
    drop(registry.register(instance).await.unwrap());
    log.is_one_line_saying(&["INFO", url, "tcp://10.0.0.1:4399", "registers nothing"]);
}
