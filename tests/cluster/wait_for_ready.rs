//! A call that waits for ready is served as soon as somebody can serve it.

use std::{sync::Arc, time::Duration};

use doge_rpc::{
    prelude::*,
    registry::{Instance, Memory, ServiceKey, Static},
};

use crate::common::{Fleet, Handlers, Probe, ProbeClient, ProbeServer, Proxy, patient, soon};

#[tokio::test]
async fn without_instances_a_call_fails_at_once_and_one_that_waits_is_served_by_the_first() {
    let mut fleet = Fleet::empty();
    let (cluster, client) = fleet.follow(fleet.cluster()).await;
    let status = client.write().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());

    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let client = client.with(patient().wait_for_ready(true));
            tokio::spawn(async move { client.write().await })
        })
        .collect();
    crate::common::until(|| cluster.stats().calls == 11).await;
    fleet.add().await;
    for call in waiting {
        assert_eq!(soon(call).await.unwrap().unwrap(), 0);
    }
    assert_eq!(fleet.total(), 10);
}

#[tokio::test]
async fn a_call_waits_for_an_instance_that_is_registered_and_away() {
    let proxy = Proxy::listen().await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", away.local_addr().unwrap());
    drop(away);
    proxy.forward_to(&address);
    let registry: Arc<dyn Registry> = Arc::new(Memory::new());
    let instance = Instance::new(ServiceKey::new("probe"), proxy.address());
    let _registration = registry.register(instance).await.unwrap();
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let waiting = tokio::spawn({
        let client = client.with(patient().wait_for_ready(true));
        async move { client.write().await }
    });
    // It has tried in vain.
    crate::common::until(|| proxy.accepted() >= 2).await;

    let handlers = Handlers::new(7, &Default::default());
    let server = Server::builder().add(ProbeServer::new(handlers));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    proxy.forward_to(&server.address().to_string());
    assert_eq!(soon(waiting).await.unwrap().unwrap(), 7);
}

#[tokio::test]
async fn a_call_waits_no_longer_than_its_deadline() {
    let fleet = Fleet::empty();
    let (_cluster, client) = fleet.follow(fleet.cluster()).await;
    let options = CallOptions::new()
        .wait_for_ready(true)
        .timeout(Duration::from_millis(100));
    let status = soon(client.with(options).write()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.never_ran());
    assert!(
        status.message().contains("no instance of default/probe/1"),
        "{status}"
    );
}

#[tokio::test]
async fn a_call_waits_until_its_deadline_for_instances_that_take_connections_and_say_nothing() {
    let silent = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listeners = [silent(), silent()];
    let address = |it: &std::net::TcpListener| format!("tcp://{}", it.local_addr().unwrap());
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses(listeners.iter().map(address)));
    let client = ProbeClient::connect_via(&registry).await.unwrap();
    let time = Duration::from_millis(400);
    let client = client.with(CallOptions::new().wait_for_ready(true).timeout(time));
    let begun = std::time::Instant::now();
    let status = soon(client.write()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(
        begun.elapsed() >= time,
        "{status} after {:?}",
        begun.elapsed()
    );
}
