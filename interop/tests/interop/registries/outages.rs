//! etcd is away for a while: Python doge does not get over that by itself, and our side does.

use doge_interop::{Caller, Server};
use doge_rpc::registry::{Bridge, ServiceKey};
use doge_test_support::Etcd;
use serde_json::json;

use super::{
    OF_BOTH, OF_PYTHON, OF_RUST, SERVICE,
    calls::{RustCalls, until_python_reaches, until_rust_reaches},
    etcd,
    found::{until, until_refreshed},
    in_turn, of_python, open, serve, v2_url, v3_url,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_is_whole_again_after_etcd_was_away() {
    let mut etcd = etcd();
    let (v2, v3) = (open(&v2_url(&etcd)), open(&v3_url(&etcd)));
    let bridge = Bridge::between(&v2, &v3).service(ServiceKey::new(SERVICE));
    let bridge = bridge.start().await.unwrap();
    let python = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    let rust = serve(&open(&v3_url(&etcd))).await;
    let rust_at = rust.address().to_string();
    let python_at = python.address();
    until(
        &etcd,
        &[host_port(&python_at), host_port(&rust_at)],
        &[&python_at, &rust_at],
    );
    let (client, _cluster) = in_turn(&open(&v3_url(&etcd))).await;
    until_rust_reaches(&client, &OF_BOTH).await;

    let calls = RustCalls::begin(&client);
    etcd.kill(0);
    until_rust_reaches(&client, &OF_BOTH).await;
    // Its heartbeat may not live through this, so that it is not waited for.
    drop(python);
    until_rust_reaches(&client, &OF_RUST).await;
    etcd.restart(0);
    until(&etcd, &[host_port(&rust_at)], &[&rust_at]);
    let python = Server::dogerpc(&of_python(&etcd), SERVICE, "n2");
    let python_at = python.address();
    until(
        &etcd,
        &[host_port(&python_at), host_port(&rust_at)],
        &[&python_at, &rust_at],
    );
    until_rust_reaches(&client, &OF_BOTH).await;
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_python_reaches(&mut caller, &OF_BOTH);
    calls.end_well().await;

    rust.drain().await;
    until(&etcd, &[host_port(&python_at)], &[&python_at]);
    bridge.stop().await.unwrap();
    until(&etcd, &[host_port(&python_at)], &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rust_servers_and_clients_in_the_registry_of_python_doge_outlive_an_etcd_that_lost_its_data()
 {
    let mut etcd = etcd();
    let rust = serve(&open(&v2_url(&etcd))).await;
    let rust_at = rust.address().to_string();
    let python = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    let (client, _cluster) = in_turn(&open(&v2_url(&etcd))).await;
    until_rust_reaches(&client, &OF_BOTH).await;
    let calls = RustCalls::begin(&client);
    wipe(&mut etcd);
    // Once it has set its key anew.
    until(&etcd, &[host_port(&rust_at)], &[]);
    drop(python);
    let python = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    until(
        &etcd,
        &[host_port(&rust_at), host_port(&python.address())],
        &[],
    );
    until_refreshed(&etcd, 6);
    until_rust_reaches(&client, &OF_BOTH).await;
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_python_reaches(&mut caller, &OF_BOTH);
    rust.drain().await;
    until_rust_reaches(&client, &OF_PYTHON).await;
    calls.end_well().await;
}

fn wipe(etcd: &mut Etcd) {
    etcd.kill(0);
    etcd.wipe(0);
    etcd.restart(0);
}

fn host_port(address: &str) -> &str {
    address.split_once("://").unwrap().1
}
