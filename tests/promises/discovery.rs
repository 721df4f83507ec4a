//! Clients that follow a registry: in turn, past dead instances, and without ever waiting for the registry.

use std::sync::Arc;

use doge_rpc::{
    client::Cluster,
    prelude::*,
    registry::{File, Instance, Memory, Registration, Registry, ServiceKey, Static},
    server::Advertise,
};
use tokio::net::TcpListener;

use crate::support::{Handlers, LIMIT, Probe, ProbeClient, patient};

fn key() -> ServiceKey {
    ServiceKey::new("probe")
}

async fn dead_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("tcp://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn calls_go_to_all_instances() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let handlers = [
        Handlers::default(),
        Handlers::default(),
        Handlers::default(),
    ];
    let mut servers = Vec::new();
    for handlers in &handlers {
        servers.push(handlers.registered(&registry).await);
    }
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let calls = (0..300).map(|value| {
        let client = client.clone();
        async move { assert_eq!(client.echo(value).await.unwrap(), value) }
    });
    futures_util::future::join_all(calls).await;
    let shares = handlers.each_ref().map(Handlers::started);
    assert!(shares.iter().all(|share| *share > 30), "{shares:?}");
}

#[tokio::test]
async fn one_live_and_one_dead_address_fail_no_call_of_2000() {
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let addresses = [server.address().to_string(), dead_address().await];
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(addresses));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    for value in 0..2000 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
}

#[tokio::test]
async fn an_instance_that_hangs_is_passed_over() {
    // The kernel takes connections, and nobody says hello.
    let hung = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let handlers = Handlers::default();
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let hung = format!("tcp://{}", hung.local_addr().unwrap());
    let registry: Arc<dyn Registry> =
        Arc::new(Static::addresses([hung, server.address().to_string()]));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let client = client.with(CallOptions::new().timeout(std::time::Duration::from_secs(2)));
    let started = std::time::Instant::now();
    for value in 0..200 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
    // The first call on its turn waits for it; from then on it is tried without anybody waiting.
    assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn instances_come_and_go_while_calls_go_on() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().contains("no instance of default/probe/1"),
        "{status}"
    );
    assert!(status.never_ran());

    // A caller that waits is served as soon as somebody registers.
    let waiting = tokio::spawn({
        let client = client.with(patient().wait_for_ready(true));
        async move { client.echo(2).await }
    });
    let first = Handlers::default().registered(&registry).await;
    assert_eq!(waiting.await.unwrap().unwrap(), 2);

    let _second = Handlers::default().registered(&registry).await;
    first.drain().await;
    for value in 0..10 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
}

#[tokio::test]
async fn groups_do_not_see_each_other() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let (usual, canary) = (Handlers::default(), Handlers::default());
    let advertise = Advertise::new().group("canary").zone("a").weight(10);
    let _usual = usual.registered(&registry).await;
    let _canary = canary
        .server()
        .registry_as(&registry, advertise)
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();

    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let cluster = Cluster::follow(&registry, key().with_group("canary"))
        .await
        .unwrap();
    let on_canary = ProbeClient::new(cluster);
    for value in 0..4 {
        client.echo(value).await.unwrap();
        on_canary.echo(value).await.unwrap();
    }
    assert_eq!((usual.started(), canary.started()), (4, 4));
}

#[tokio::test]
async fn the_data_path_never_waits_for_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    let registry: Arc<dyn Registry> = Arc::new(
        File::builder(folder.path())
            .scan_interval(std::time::Duration::from_millis(10))
            .build(),
    );
    let handlers = Handlers::default();
    let _server = handlers.registered(&registry).await;
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    client.echo(1).await.unwrap();

    // The registry goes away: its folder becomes something that cannot be read.
    drop(registry);
    let root = folder.path().join("default");
    std::fs::rename(&root, folder.path().join("elsewhere")).unwrap();
    std::fs::write(&root, "no folder").unwrap();
    for value in 0..100 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
}

#[tokio::test]
async fn an_instance_that_cannot_be_called_is_left_out() {
    let registry = Memory::new();
    let _strange: Registration = registry
        .register(Instance::new(key(), "gopher://x:70"))
        .await
        .unwrap();
    let registry: Arc<dyn Registry> = Arc::new(registry);
    let _server = Handlers::default().registered(&registry).await;
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    for value in 0..10 {
        assert_eq!(client.echo(value).await.unwrap(), value);
    }
}

#[tokio::test]
async fn an_address_that_others_cannot_connect_to_is_not_registered() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let error = Handlers::default()
        .server()
        .registry(&registry)
        .start("tcp://0.0.0.0:0")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("Advertise::address"), "{error}");

    let advertise = Advertise::new()
        .address("tcp://probe.example:4399")
        .unwrap();
    let _server = Handlers::default()
        .server()
        .registry_as(&registry, advertise)
        .start("tcp://0.0.0.0:0")
        .await
        .unwrap();
    let watch = tokio::time::timeout(LIMIT, registry.watch(key()))
        .await
        .unwrap()
        .unwrap();
    let snapshot = watch.snapshot();
    assert_eq!(
        snapshot
            .iter()
            .map(|instance| instance.address())
            .collect::<Vec<_>>(),
        ["tcp://probe.example:4399"]
    );
}

/// A container: the server listens everywhere at a port that the system chose, and says where it is itself.
#[tokio::test]
async fn an_instance_in_a_container_is_called_where_it_says_it_is() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let server = Handlers::default()
        .server()
        .registry_as(
            &registry,
            Advertise::new().address("tcp://127.0.0.1:0").unwrap(),
        )
        .start("tcp://0.0.0.0:0")
        .await
        .unwrap();
    let snapshot = registry.watch(key()).await.unwrap().snapshot();
    let advertised = snapshot.iter().next().unwrap().address();
    let (_, port) = advertised.rsplit_once(':').unwrap();
    assert!(server.address().to_string().ends_with(port) && port != "0");
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    assert_eq!(client.echo(1).await.unwrap(), 1);
}

#[tokio::test]
async fn an_instance_is_found_over_ipv6() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let _server = Handlers::default()
        .server()
        .registry(&registry)
        .start("tcp://[::1]:0")
        .await
        .unwrap();
    let snapshot = registry.watch(key()).await.unwrap().snapshot();
    let address = snapshot.iter().next().unwrap().address();
    assert!(address.starts_with("tcp://[::1]:") && !address.ends_with(":0"));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    assert_eq!(client.echo(1).await.unwrap(), 1);
}
