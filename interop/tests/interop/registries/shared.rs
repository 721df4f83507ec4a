//! All of them in the registry of Python doge.

use doge_interop::{Caller, Methods as _, MethodsClient, Server};
use doge_test_support::eventually_async;
use serde_json::json;

use super::{
    OF_BOTH, OF_PYTHON, OF_RUST, SERVICE,
    calls::{PythonCalls, RustCalls, until_python_reaches, until_rust_reaches},
    etcd,
    found::{events, in_v2, key_of, until_gone, until_refreshed, until_watched},
    of_python, open, patient, serve, v2_url,
};
use crate::LIMIT;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_finds_rust_servers_and_no_call_fails_when_one_drains() {
    let etcd = etcd();
    let registry = open(&v2_url(&etcd));
    let before = etcd.v2().index();
    let (first, second) = (serve(&registry).await, serve(&registry).await);
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_python_reaches(&mut caller, &OF_RUST);
    until_watched(&etcd, 1);
    // Both keys a few times, and the client has still one endpoint for each.
    until_refreshed(&etcd, 6);
    let address = |server: &doge_rpc::server::Running| server.address().to_string();
    let keys = [&first, &second].map(|it| key_of(&etcd, &address(it)["tcp://".len()..]));
    let set = keys.clone().map(|key| format!("set {key}"));
    assert_eq!(events(&etcd, before), set);

    let calls = PythonCalls::begin(caller);
    first.drain().await;
    let mut caller = calls.end_well();
    until_python_reaches(&mut caller, &OF_RUST);
    let mut expected = set.to_vec();
    expected.push(format!("delete {}", keys[0]));
    assert_eq!(events(&etcd, before), expected);
    second.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_servers_come_and_go_beside_a_python_one_and_a_python_client_follows() {
    let etcd = etcd();
    let registry = open(&v2_url(&etcd));
    let _python = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_python_reaches(&mut caller, &OF_PYTHON);
    until_watched(&etcd, 1);
    for _ in 0..2 {
        let rust = serve(&registry).await;
        until_python_reaches(&mut caller, &OF_BOTH);
        let calls = PythonCalls::begin(caller);
        rust.drain().await;
        caller = calls.end_well();
        until_python_reaches(&mut caller, &OF_PYTHON);
    }
    assert_eq!(in_v2(&etcd).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rust_client_finds_python_servers_and_no_call_fails_when_one_is_killed() {
    let etcd = etcd();
    let first = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    let mut second = Server::dogerpc(&of_python(&etcd), SERVICE, "n2");
    let registry = open(&v2_url(&etcd));
    let client = patient(MethodsClient::connect_via(&registry).await.unwrap());
    until_rust_reaches(&client, &OF_PYTHON).await;
    let calls = RustCalls::begin(&client);
    second.process.kill();
    let left = format!("127.0.0.1:{}", first.port);
    until_gone(&etcd, &[&left], &[]);
    calls.end_well().await;
    // One that comes back is found again, even if it is the only one.
    drop(first);
    let _again = Server::dogerpc(&of_python(&etcd), SERVICE, "n2");
    let found = eventually_async(LIMIT, "it is found", async || client.sum(1, 2).await.ok());
    assert_eq!(found.await, 3);
}
