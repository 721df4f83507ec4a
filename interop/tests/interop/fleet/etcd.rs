//! Both kinds find each other by the registry of Python doge.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doge_interop::{Caller, Methods as _, MethodsClient, MethodsServer, Ours, Server, dogerpc};
use doge_rpc::{
    registry::{self, Bridge, Memory, Registry, ServiceKey},
    server::Running,
};
use doge_test_support::{Etcd, eventually_async};
use serde_json::json;
use tokio::task::block_in_place;

use super::python_load::PythonLoad;
use crate::{
    LIMIT,
    ours::{client, patient},
};

fn etcd() -> Etcd {
    Etcd::options().v2().start()
}

/// As Python sees it.
fn of_python(etcd: &Etcd) -> serde_json::Value {
    dogerpc::etcd(&etcd.addresses()[0], 2)
}

/// As Rust sees it, of a fleet of the published dogerpc.
fn of_rust(etcd: &Etcd) -> Arc<dyn Registry> {
    let address = &etcd.addresses()[0];
    registry::open(&format!("etcd-v2://{address}?meta=no&ttl=2s&confirm=0s")).unwrap()
}

async fn serve(registry: &Arc<dyn Registry>) -> Running {
    let server = doge_rpc::Server::builder().add(MethodsServer::new(Ours::default()));
    let server = server.registry(registry).start("tcp://127.0.0.1:0");
    server.await.unwrap()
}

/// Waits until others have counted there, too.
async fn until_called(server: &Running) {
    let client = client(&server.address().to_string());
    let mut own = 0;
    eventually_async(LIMIT, "others call it", async || {
        tokio::time::sleep(Duration::from_millis(5)).await;
        own += 1;
        (client.count().await.unwrap() > own + 10).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_in_rust_come_and_go_and_no_call_of_dogerpc_fails_though_it_tries_none_again() {
    let etcd = etcd();
    let _python = Server::dogerpc(&of_python(&etcd), "test", "n1");
    let caller = Caller::dogerpc(&of_python(&etcd), &json!({}), "test");
    let load = PythonLoad::start(caller);
    block_in_place(|| load.go_on_for(100));
    for _ in 0..2 {
        let server = serve(&of_rust(&etcd)).await;
        until_called(&server).await;
        // Python learns from the registry that it leaves, and is quiet there from then on.
        let started = Instant::now();
        server.drain().await;
        let took = started.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
        block_in_place(|| load.go_on_for(100));
    }
    assert_eq!(load.stop(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_rust_has_the_servers_in_python_until_they_are_gone() {
    let etcd = etcd();
    let registry = of_rust(&etcd);
    let mut python = Server::dogerpc(&of_python(&etcd), "test", "n1");
    let server = serve(&registry).await;
    let cluster = MethodsClient::cluster().registry(&registry);
    let cluster = cluster.follow().await.unwrap();
    let client = MethodsClient::new(cluster.clone()).with(patient());
    assert_eq!(cluster.addresses().len(), 2);
    let address = python.address();
    assert!(
        cluster.addresses().contains(&address),
        "{:?}",
        cluster.addresses()
    );
    for number in 0..50 {
        assert_eq!(client.sum(number, 1).await, Ok(number + 1));
    }
    python.process.kill();
    for number in 0..50 {
        assert_eq!(client.sum(number, 1).await, Ok(number + 1));
    }
    // Its registration ends with its time to live.
    eventually_async(LIMIT, "it has left", async || {
        tokio::time::sleep(Duration::from_millis(20)).await;
        (!cluster.addresses().contains(&address)).then_some(())
    })
    .await;
    server.drain().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_bridge_dogerpc_calls_rust_and_rust_calls_dogerpc() {
    let etcd = etcd();
    let doge = of_rust(&etcd);
    let ours: Arc<dyn Registry> = Arc::new(Memory::new());
    let service = ServiceKey::new("test");
    let bridge = Bridge::between(&doge, &ours).services([service]);
    let bridge = bridge.start().await.unwrap();
    let python = Server::dogerpc(&of_python(&etcd), "test", "n1");
    let server = serve(&ours).await;
    let cluster = MethodsClient::cluster()
        .registry(&ours)
        .follow()
        .await
        .unwrap();
    eventually_async(LIMIT, "both are there", async || {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let addresses = cluster.addresses();
        let expected = [server.address().to_string(), python.address()];
        let all = expected.iter().all(|it| addresses.contains(it));
        (all && addresses.len() == 2).then_some(())
    })
    .await;
    let client = MethodsClient::new(cluster).with(patient());
    for number in 0..50 {
        assert_eq!(client.sum(number, 1).await, Ok(number + 1));
    }
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), "test");
    let load = block_in_place(|| {
        assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
        PythonLoad::start(caller)
    });
    until_called(&server).await;
    server.drain().await;
    block_in_place(|| load.go_on_for(100));
    assert_eq!(load.stop(), [""; 0]);
    bridge.stop().await.unwrap();
}
