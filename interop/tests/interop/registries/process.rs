//! Our side in processes of their own, which can be killed: this test program once more.

use std::{
    env,
    io::{Read as _, Write as _, stdin, stdout},
    process::Command,
};

use doge_rpc::registry::{Bridge, ServiceKey};
use doge_test_support::Process;

use super::{SERVICE, open, serve};
use crate::LIMIT;

const SERVE: &str = "DOGE_INTEROP_SERVE";
const BRIDGE: &str = "DOGE_INTEROP_BRIDGE";

/// A server that registers there; gives back `host:port` as well.
#[track_caller]
pub(super) fn server(url: &str) -> (Process, String) {
    let (process, ready) = start(SERVE, url);
    let address = ready.strip_prefix("tcp://").unwrap().to_owned();
    (process, address)
}

/// A bridge between two registries.
#[track_caller]
pub(super) fn bridge(one: &str, other: &str) -> Process {
    start(BRIDGE, &format!("{one} {other}")).0
}

#[track_caller]
fn start(what: &str, value: &str) -> (Process, String) {
    let mut command = Command::new(env::current_exe().unwrap());
    let role = "registries::process::what_another_process_does";
    command.args(["--exact", role, "--nocapture"]);
    let mut process = Process::start(command.env(what, value));
    let ready = process.line(LIMIT, |line| line.starts_with("ready "));
    (process, ready["ready ".len()..].to_owned())
}

/// Not a test by itself, unless it is told to be one of the other processes.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_does() {
    if let Ok(url) = env::var(SERVE) {
        let server = serve(&open(&url)).await;
        stay(&server.address().to_string()).await;
    } else if let Ok(urls) = env::var(BRIDGE) {
        let (one, other) = urls.split_once(' ').unwrap();
        let bridge = Bridge::between(&open(one), &open(other));
        let bridge = bridge.service(ServiceKey::new(SERVICE)).start().await;
        let _bridge = bridge.unwrap();
        stay("").await;
    }
}

/// Until it is killed, or the test that started it is gone.
async fn stay(ready: &str) {
    // What runs the tests may have begun the line.
    let line = format!("\nready {ready}\n");
    stdout().write_all(line.as_bytes()).unwrap();
    let end = tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new()));
    end.await.unwrap().unwrap();
}
