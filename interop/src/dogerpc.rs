//! Settings of the published dogerpc: what its `registry` and `refer` are.

use std::time::Duration;

use doge_test_support::Process;
use serde_json::{Value, json};

use crate::programs::python;

/// Half a million calls, on a machine with other work to do.
const SOAK_LIMIT: Duration = Duration::from_secs(1800);

/// No registry: the client is told the ports of the servers.
pub fn direct(ports: &[u16]) -> Value {
    let addresses: Vec<_> = ports
        .iter()
        .map(|port| format!("127.0.0.1:{port}"))
        .collect();
    json!({"protocol": "direct", "address": addresses.join(",")})
}

/// The API of version 2 of an etcd at `127.0.0.1:PORT`; registrations last for `ttl` seconds.
///
/// # Panics
///
/// When the address is not like that.
pub fn etcd(address: &str, ttl: u32) -> Value {
    let (host, port) = address.split_once(':').unwrap();
    let port: u16 = port.parse().unwrap();
    json!({"protocol": "etcd", "host": host, "port": port, "ttl": ttl})
}

/// Lets a client of the published dogerpc make so many calls of all kinds; says what became of them as the scenario `soak`
/// of [`scenario`](crate::scenario()) does.
///
/// # Panics
///
/// When the client fails itself.
#[track_caller]
pub fn soak(registry: &Value, service: &str, calls: u32) -> Value {
    let settings = json!({"registry": registry, "refer": {}});
    let mut command = python("doge_client.py");
    command.args([&settings.to_string(), service, "--soak", &calls.to_string()]);
    let line = Process::start(&mut command).line(SOAK_LIMIT, |line| line.starts_with('{'));
    serde_json::from_str(&line).unwrap()
}
