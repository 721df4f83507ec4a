//! Defects 6, 7, 8 and 10: finding instances, and being found. Those of etcd are with its registry.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use doge_rpc::{
    prelude::*,
    registry::{File, Instance, Memory, ServiceKey},
    server::Running,
};

use crate::common::{
    Fleet, Handlers, Probe, ProbeClient, ProbeServer, Published, patient, soon, until, until_called,
};

fn quick(folder: &Path) -> Arc<dyn Registry> {
    let registry = File::builder(folder)
        .ttl(Duration::from_millis(300))
        .scan_interval(Duration::from_millis(10));
    Arc::new(registry.build())
}

async fn registered(number: usize, registry: &Arc<dyn Registry>) -> Running {
    let handlers = Handlers::new(number, &Default::default());
    let server = Server::builder().add(ProbeServer::new(handlers));
    let server = server.registry(registry);
    server.start("tcp://127.0.0.1:0").await.unwrap()
}

/// The files of the instances of the service.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let service = fs::read_dir(folder.join("default/probe/1"));
    let files = service
        .into_iter()
        .flatten()
        .map(|file| file.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|it| it == "json"))
        .collect()
}

async fn called(client: &ProbeClient, number: usize) {
    until_called(async || client.read(1).await.ok() == Some(number)).await;
}

// One error of the registry ended the watch for good: what came later was never seen.
#[tokio::test]
async fn defect_06_a_watch_outlives_a_registry_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let first = registered(1, &registry).await;
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let client = client.with(patient());
    assert_eq!(client.read(1).await.unwrap(), 1);

    let (root, aside) = (folder.path().join("default"), folder.path().join("aside"));
    fs::rename(&root, &aside).unwrap();
    fs::write(&root, "no folder").unwrap();
    for _ in 0..50 {
        assert_eq!(client.read(1).await.unwrap(), 1);
    }
    fs::remove_file(&root).unwrap();
    fs::rename(&aside, &root).unwrap();
    let _second = registered(2, &registry).await;
    called(&client, 2).await;
    first.drain().await;
    for _ in 0..20 {
        assert_eq!(client.read(1).await.unwrap(), 2);
    }
}

// An event about something unknown ended the watch, and so did what could not be understood.
#[tokio::test]
async fn defect_06_a_watch_outlives_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let _first = registered(1, &registry).await;
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let client = client.with(patient());
    let service = folder.path().join("default/probe/1");
    for (name, text) in [("torn.json", "{\"schema\":1,\"inst"), ("strange", "x")] {
        fs::write(service.join(name), text).unwrap();
    }
    let odd = Instance::new(ServiceKey::new("probe"), "gopher://nobody:70");
    let _odd = registry.register(odd).await.unwrap();
    let _second = registered(2, &registry).await;
    called(&client, 2).await;
    called(&client, 1).await;
    for name in ["torn.json", "strange"] {
        fs::remove_file(service.join(name)).unwrap();
    }
    let _third = registered(3, &registry).await;
    called(&client, 3).await;
}

// What happened between the first list and the watch was lost.
#[tokio::test]
async fn defect_06_what_joins_while_a_client_is_made_is_found() {
    for _ in 0..20 {
        let registry: Arc<dyn Registry> = Arc::new(Memory::new());
        let (client, _server) = tokio::join!(
            ProbeClient::connect_via(&registry),
            registered(1, &registry)
        );
        let client = client.unwrap().with(patient().wait_for_ready(true));
        assert_eq!(soon(client.read(1)).await.unwrap(), 1);
    }
}

// One failed renewal ended the heartbeat: the entry expired while the server served on, and never came back.
#[tokio::test]
async fn defect_07_a_registration_outlives_a_registry_that_fails() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let _server = registered(1, &registry).await;
    assert_eq!(entries(folder.path()).len(), 1);

    let root = folder.path().join("default");
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "no folder").unwrap();
    // Longer than a renewal takes to be due, and than the entry would have lived.
    tokio::time::sleep(Duration::from_millis(600)).await;
    fs::remove_file(&root).unwrap();
    until(|| entries(folder.path()).len() == 1).await;

    let client = ProbeClient::connect_via(&registry).await.unwrap();
    called(&client.with(patient()), 1).await;
}

// After leaving, the heartbeat went on.
#[tokio::test]
async fn defect_07_who_has_left_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    registered(1, &registry).await.drain().await;
    assert!(entries(folder.path()).is_empty());
    // Several renewals.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(entries(folder.path()).is_empty());
}

// An instance that was set three times was there three times.
#[tokio::test]
async fn defect_08_an_instance_that_is_told_again_is_one_endpoint() {
    let fleet = Fleet::of(2).await;
    let registry = Published::new(&fleet);
    let (cluster, client) = fleet.follow(registry.cluster()).await;
    let instances = || fleet.replicas.iter().map(|it| it.instance.clone());
    for weight in [100, 200, 300] {
        let told = instances().map(|it| it.with_weight(weight));
        registry.publish(told.clone().chain(told)).await;
        assert_eq!(cluster.addresses().len(), 2);
    }
    for _ in 0..20 {
        client.read(1).await.unwrap();
    }
    for replica in &fleet.replicas {
        assert_eq!(replica.proxy.accepted(), 1);
    }
}

// What was removed was never closed.
#[tokio::test]
async fn defect_08_the_connection_to_a_removed_instance_is_closed() {
    let fleet = Fleet::of(2).await;
    let registry = Published::new(&fleet);
    let (_cluster, client) = fleet.follow(registry.cluster()).await;
    client.read(1).await.unwrap();
    registry.publish([fleet.replicas[1].instance.clone()]).await;
    fleet.replicas[0].proxy.until_open(0).await;
    assert_eq!(client.read(1).await.unwrap(), 1);
    assert_eq!(fleet.replicas[1].proxy.accepted(), 1);
}

// A client of a service that had no folder yet, or an empty one, crashed.
#[tokio::test]
async fn defect_10_a_service_that_nobody_serves_yet_can_be_followed() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(&folder.path().join("not/there/yet"));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let status = client.read(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());

    let server = registered(1, &registry).await;
    called(&client.with(patient()), 1).await;
    server.drain().await;
    let emptied = ProbeClient::connect_via(&registry).await.unwrap();
    assert_eq!(emptied.read(1).await.unwrap_err().code(), Code::Unavailable);
}

// Addresses were split at colons, which those of IPv6 are full of.
#[tokio::test]
async fn defect_10_ipv6_addresses_are_found_and_called() {
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let handlers = Handlers::new(6, &Default::default());
    let server = Server::builder()
        .add(ProbeServer::new(handlers))
        .registry(&registry);
    let server = server.start("tcp://[::1]:0").await.unwrap();
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    assert_eq!(client.with(patient()).read(1).await.unwrap(), 6);
    assert!(server.address().to_string().starts_with("tcp://[::1]:"));
}
