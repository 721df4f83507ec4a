//! Python doge in its registry, ours in our own, and a bridge between the two.

use doge_interop::{Caller, Server};
use doge_rpc::registry::{Bridge, ServiceKey};
use doge_test_support::{Etcd, Process, eventually};
use serde_json::json;

use super::{
    OF_BOTH, OF_PYTHON, OF_RUST, SERVICE,
    calls::{RustCalls, until_python_reaches, until_rust_reaches},
    etcd,
    found::{events, images, in_v2, until, until_gone, until_refreshed, until_watched},
    in_turn, of_python, open, process, v2_url, v3_url,
};
use crate::LIMIT;

/// A server of each kind, in its own registry and no other.
struct Servers {
    python: Server,
    rust: Process,
    /// Where they are, as `host:port`.
    python_at: String,
    rust_at: String,
}

impl Servers {
    #[track_caller]
    fn start(etcd: &Etcd) -> Self {
        let python = Server::dogerpc(&of_python(etcd), SERVICE, "n1");
        let (rust, rust_at) = process::server(&v3_url(etcd));
        Self {
            python_at: format!("127.0.0.1:{}", python.port),
            python,
            rust,
            rust_at,
        }
    }

    /// Waits until each is in both registries, once.
    #[track_caller]
    fn until_in_both(&self, etcd: &Etcd) {
        until(
            etcd,
            &self.in_v2(),
            &[&self.python_in_v3(), &self.rust_in_v3()],
        );
    }

    fn in_v2(&self) -> [&str; 2] {
        [&self.python_at, &self.rust_at]
    }

    /// What it speaks is known there.
    fn python_in_v3(&self) -> String {
        format!("msgpack-rpc://{}", self.python_at)
    }

    fn rust_in_v3(&self) -> String {
        format!("tcp://{}", self.rust_at)
    }
}

async fn bridge(etcd: &Etcd) -> Bridge {
    let bridge = Bridge::between(&open(&v2_url(etcd)), &open(&v3_url(etcd)));
    let bridge = bridge.service(ServiceKey::new(SERVICE)).start();
    bridge.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_client_calls_both_kinds_of_servers_and_goes_on_without_each() {
    let etcd = etcd();
    let _bridge = bridge(&etcd).await;
    let mut servers = Servers::start(&etcd);
    servers.until_in_both(&etcd);
    let (client, cluster) = in_turn(&open(&v3_url(&etcd))).await;
    until_rust_reaches(&client, &OF_BOTH).await;
    let mut called: Vec<String> = (cluster.stats().endpoints.into_iter())
        .map(|endpoint| endpoint.address)
        .collect();
    called.sort();
    // Each in what it speaks best.
    assert_eq!(called, [servers.python_in_v3(), servers.rust_in_v3()]);
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_python_reaches(&mut caller, &OF_BOTH);
    // The bridge and the client.
    until_watched(&etcd, 2);

    let calls = RustCalls::begin(&client);
    servers.python.process.kill();
    until_gone(&etcd, &[&servers.rust_at], &[&servers.rust_in_v3()]);
    calls.end_well().await;
    until_rust_reaches(&client, &OF_RUST).await;
    until_python_reaches(&mut caller, &OF_RUST);

    // At another port, so that the clients have to be told.
    servers.python = Server::dogerpc(&of_python(&etcd), SERVICE, "n1");
    servers.python_at = format!("127.0.0.1:{}", servers.python.port);
    servers.until_in_both(&etcd);
    until_rust_reaches(&client, &OF_BOTH).await;
    until_python_reaches(&mut caller, &OF_BOTH);

    let calls = RustCalls::begin(&client);
    servers.rust.kill();
    until_gone(&etcd, &[&servers.python_at], &[&servers.python_in_v3()]);
    calls.end_well().await;
    until_rust_reaches(&client, &OF_PYTHON).await;
    until_python_reaches(&mut caller, &OF_PYTHON);

    (servers.rust, servers.rust_at) = process::server(&v3_url(&etcd));
    servers.until_in_both(&etcd);
    until_rust_reaches(&client, &OF_BOTH).await;
    until_python_reaches(&mut caller, &OF_BOTH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_started_anew_shows_each_once_and_makes_no_loop() {
    let etcd = etcd();
    let servers = Servers::start(&etcd);
    let mut bridge = bridge(&etcd).await;
    servers.until_in_both(&etcd);
    let (client, _cluster) = in_turn(&open(&v3_url(&etcd))).await;
    until_rust_reaches(&client, &OF_BOTH).await;
    let mut caller = Caller::dogerpc(&of_python(&etcd), &json!({}), SERVICE);
    until_watched(&etcd, 2);
    let calls = RustCalls::begin(&client);
    for at_the_same_time in [false, true] {
        let (before, left) = (etcd.v2().index(), images(&etcd));
        if at_the_same_time {
            drop(std::mem::replace(&mut bridge, self::bridge(&etcd).await));
        } else {
            bridge.stop().await.unwrap();
            assert_eq!(in_v2(&etcd), [servers.python_at.as_str()]);
            bridge = self::bridge(&etcd).await;
        }
        until_others(&etcd, &left);
        stays_as_it_is(&etcd, &servers);
        // One image went and another one came, and that is all.
        assert_eq!(events(&etcd, before).len(), 2);
        until_rust_reaches(&client, &OF_BOTH).await;
        until_python_reaches(&mut caller, &OF_BOTH);
    }
    calls.end_well().await;
    bridge.stop().await.unwrap();
    until(&etcd, &[&servers.python_at], &[&servers.rust_in_v3()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_bridge_that_was_killed_has_shown_expires_and_nothing_else() {
    let etcd = etcd();
    let servers = Servers::start(&etcd);
    let mut killed = process::bridge(&v2_url(&etcd), &v3_url(&etcd));
    servers.until_in_both(&etcd);
    let (client, _cluster) = in_turn(&open(&v3_url(&etcd))).await;
    until_rust_reaches(&client, &OF_BOTH).await;
    let calls = RustCalls::begin(&client);
    let left = images(&etcd);
    killed.kill();
    let _bridge = bridge(&etcd).await;
    until_others(&etcd, &left);
    stays_as_it_is(&etcd, &servers);
    calls.end_well().await;
    until_rust_reaches(&client, &OF_BOTH).await;
}

/// Waits until the images are others.
#[track_caller]
fn until_others(etcd: &Etcd, left: &[String]) {
    assert_eq!(left.len(), 2);
    eventually(LIMIT, "they are others", || {
        let now = images(etcd);
        now.len() == 2 && now.iter().all(|image| !left.contains(image))
    });
}

/// Whatever there is to refresh is refreshed a few times, and nobody sets or deletes anything.
#[track_caller]
fn stays_as_it_is(etcd: &Etcd, servers: &Servers) {
    servers.until_in_both(etcd);
    let (before, revision) = (etcd.v2().index(), etcd.revision());
    until_refreshed(etcd, 6);
    assert_eq!(events(etcd, before), [""; 0]);
    assert_eq!(etcd.revision(), revision);
    servers.until_in_both(etcd);
}
