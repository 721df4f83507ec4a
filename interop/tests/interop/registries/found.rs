//! What is registered, as etcd itself says.

use std::time::{Duration, Instant};

use doge_test_support::{Etcd, eventually};
use serde_json::Value;

use super::TTL;
use crate::LIMIT;

/// The directory of the service in Python doge's registry, and what its keys begin with in ours.
const V2: &str = "/doge/rpc/test";
const V3: &str = "/doge/rpc/default/test/1/";

/// How long a registration may outlast its process, and its image that of the bridge: etcd looks every half second or so for
/// what has expired, and the machine has other work to do.
const GONE_WITHIN: Duration = Duration::from_secs(TTL as u64 + 4);

/// The values in Python doge's registry, in their order.
pub(super) fn in_v2(etcd: &Etcd) -> Vec<String> {
    let mut values: Vec<String> = etcd
        .v2()
        .list(V2)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    values.sort();
    values
}

/// The addresses in our own, in their order.
pub(super) fn in_v3(etcd: &Etcd) -> Vec<String> {
    // One that leaves between the two looks is not there.
    let values = etcd.keys(V3).into_iter().filter_map(|key| etcd.get(&key));
    let mut addresses: Vec<String> = values.map(|value| address_of(&value)).collect();
    addresses.sort();
    addresses
}

/// Waits until these are in both, and says how long that took.
#[track_caller]
pub(super) fn until(etcd: &Etcd, v2: &[&str], v3: &[&str]) -> Duration {
    let started = Instant::now();
    let (mut v2, mut v3) = (v2.to_vec(), v3.to_vec());
    v2.sort_unstable();
    v3.sort_unstable();
    let what = format!("{v2:?} in the old one and {v3:?} in the new one");
    eventually(LIMIT, &what, || in_v2(etcd) == v2 && in_v3(etcd) == v3);
    started.elapsed()
}

/// The same after one of them was killed.
#[track_caller]
pub(super) fn until_gone(etcd: &Etcd, v2: &[&str], v3: &[&str]) {
    let took = until(etcd, v2, v3);
    assert!(took < GONE_WITHIN, "{took:?}");
}

/// Waits until the keys in Python doge's registry were refreshed or set so many times more.
#[track_caller]
pub(super) fn until_refreshed(etcd: &Etcd, times: u64) {
    let before = etcd.v2().index();
    eventually(LIMIT, "keys are refreshed", || {
        etcd.v2().index() >= before + times
    });
}

/// Waits until so many watch it, so that they hear of all that follows.
#[track_caller]
pub(super) fn until_watched(etcd: &Etcd, by: u32) {
    eventually(LIMIT, "it is watched", || {
        etcd.metric("etcd_debugging_store_watchers") >= f64::from(by)
    });
}

/// What happened in Python doge's registry after this index, as `action key`.
pub(super) fn events(etcd: &Etcd, index: u64) -> Vec<String> {
    // Seen from further up, since this sets a key, which Python's clients would take for an instance.
    let mut events = etcd.v2().events("/doge", index);
    events.retain(|event| event.contains(V2));
    events
}

/// The keys of all that a bridge has shown, in both.
pub(super) fn images(etcd: &Etcd) -> Vec<String> {
    let old = etcd.v2().list(V2).into_iter().map(|(key, _)| key);
    let all = old.chain(etcd.keys(V3));
    all.filter(|key| key.contains("/doge-bridge-")).collect()
}

/// The key of an instance with this value.
#[track_caller]
pub(super) fn key_of(etcd: &Etcd, value: &str) -> String {
    let found = etcd.v2().list(V2).into_iter().find(|it| it.1 == value);
    found.unwrap().0
}

fn address_of(value: &str) -> String {
    let value: Value = serde_json::from_str(value).unwrap();
    value["instance"]["address"].as_str().unwrap().to_owned()
}
