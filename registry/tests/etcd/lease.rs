//! What is registered stays registered, whatever becomes of its lease and its key.

use std::time::Instant;

use doge_registry::Registry;
use doge_test_support::{Etcd, eventually};
use futures_util::FutureExt;

use crate::common::{LIMIT, PLACE, TTL, instance, registry, until, until_at, until_keys, watch};

/// Doge's heartbeat ended with its first failure, and the key was gone for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_lease_is_replaced() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    let _held = [
        registry.register(instance("tcp://a:1")).await.unwrap(),
        registry.register(instance("tcp://b:1")).await.unwrap(),
    ];
    for _ in 0..2 {
        let before = etcd.leases();
        etcd.revoke_all();
        eventually(LIMIT, "a new lease", || {
            let leases = etcd.leases();
            !leases.is_empty() && leases != before
        });
        until_keys(&etcd, 2);
        until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_comes_back() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let path = format!("{PLACE}{}", registration.instance().id());
    for _ in 0..3 {
        etcd.delete(&path);
        eventually(LIMIT, "the key", || etcd.get(&path).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_off_its_lease_is_put_on_it_again() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let path = format!("{PLACE}{}", registration.instance().id());
    let before = etcd.get(&path);
    // Without lease, it would stay for ever once this process is dead.
    etcd.put(&path, "10.0.0.1:1");
    eventually(LIMIT, "the value", || etcd.get(&path) == before);
    registration.leave().await.unwrap();
    assert_eq!(etcd.get(&path), None);
}

/// As `etcdctl put --ignore-lease` does it.
#[tokio::test(flavor = "multi_thread")]
async fn a_weight_changed_by_hand_stays() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let id = registration.instance().id();
    until(&mut watch, |snapshot| snapshot.len() == 1).await;
    let path = format!("{PLACE}{id}");
    let value = etcd.get(&path).unwrap();
    let value = value.replace("\"weight\":100", "\"weight\":7");
    etcd.put_keeping_lease(&path, &value);
    until(&mut watch, |snapshot| {
        snapshot.get(id).unwrap().weight() == 7
    })
    .await;
    tokio::time::sleep(TTL * 3 / 2).await;
    assert_eq!(etcd.get(&path), Some(value), "the audit takes it for lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_prefix_is_whole_within_one_time_to_live() {
    let etcd = Etcd::start();
    let providers = [registry(&etcd), registry(&etcd), registry(&etcd)];
    let consumer = registry(&etcd);
    let mut watch = watch(&consumer).await;
    let mut held = Vec::new();
    for (at, provider) in providers.iter().enumerate() {
        for port in 0..3 {
            let address = format!("tcp://p{at}:{port}");
            held.push(provider.register(instance(&address)).await.unwrap());
        }
    }
    until(&mut watch, |snapshot| snapshot.len() == 9).await;
    let wiped = Instant::now();
    etcd.delete_prefix("/doge/rpc");
    until_keys(&etcd, 9);
    assert!(wiped.elapsed() < TTL, "{:?}", wiped.elapsed());
    let snapshot = watch.snapshot();
    assert_eq!(snapshot.len(), 9, "the wiped list reached the watch");
}

/// A lease of 2 s would be gone twice over.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_for_as_long_as_it_takes() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    let lease = etcd.leases();
    let started = Instant::now();
    let revision = etcd.revision();
    while started.elapsed() < TTL * 2 {
        tokio::time::sleep(TTL / 4).await;
        assert_eq!(etcd.keys(PLACE).len(), 1);
    }
    assert_eq!(etcd.leases(), lease);
    assert_eq!(etcd.revision(), revision, "nothing had to be put again");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_after_the_last_has_left_has_a_lease_too() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    for _ in 0..5 {
        let registration = registry.register(instance("tcp://a:1")).await.unwrap();
        assert_eq!(etcd.keys(PLACE).len(), 1);
        registration.leave().await.unwrap();
        assert!(etcd.keys(PLACE).is_empty());
    }
    eventually(LIMIT, "no lease is left", || etcd.leases().is_empty());
}

/// What a process that is killed leaves behind is gone after its time to live; its runtime stands for it here.
#[test]
fn an_instance_of_a_dead_process_expires() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registration = runtime
        .block_on(registry.register(instance("tcp://a:1")))
        .unwrap();
    runtime.shutdown_background();
    assert_eq!(etcd.keys(PLACE).len(), 1);
    until_keys(&etcd, 0);
    drop(registration);

    // The same handle serves a new runtime.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registration = runtime
        .block_on(registry.register(instance("tcp://a:1")))
        .unwrap();
    assert_eq!(etcd.keys(PLACE).len(), 1);
    runtime.block_on(registration.leave()).unwrap();
}

/// The workers are begun, and dropped before they ever ran.
#[test]
fn a_runtime_that_ends_at_once_leaves_a_registry_that_works() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    first.block_on(async {
        let mut registering = Box::pin(registry.register(instance("tcp://a:1")));
        assert!((&mut registering).now_or_never().is_none());
    });
    drop(first);
    runtime().block_on(async {
        let registered = tokio::time::timeout(LIMIT, registry.register(instance("tcp://b:1")));
        drop(registered.await.unwrap().unwrap());
    });
}
