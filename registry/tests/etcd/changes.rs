//! Instances come and go, and watches hear of it.

use std::sync::Arc;
use std::time::Duration;

use doge_registry::{Change, Registry, RegistryError, ServiceKey, Snapshot, open};
use doge_test_support::Etcd;
use futures_util::FutureExt;

use crate::common::{
    LIMIT, PLACE, builder, instance, key, registry, until, until_at, until_keys, watch,
};
use crate::link::Link;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_joins_changes_and_leaves() {
    let etcd = Etcd::start();
    let (here, there) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&here).await;
    assert!(watch.snapshot().is_empty());

    let wanted = instance("tcp://[::1]:4399")
        .with_weight(7)
        .with_zone("z")
        .with_tag("k", "v");
    let registration = there.register(wanted.clone()).await.unwrap();
    // It is there when register returns.
    assert_eq!(etcd.keys(PLACE), [format!("{PLACE}{}", wanted.id())]);
    let snapshot = until(&mut watch, |snapshot| snapshot.len() == 1).await;
    assert_eq!(**snapshot.get(wanted.id()).unwrap(), wanted);
    assert!(!snapshot.is_restored());

    let second = there.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut watch, &["tcp://[::1]:4399", "tcp://b:1"]).await;
    assert_eq!(
        etcd.leases().len(),
        1,
        "one lease for all instances of a handle"
    );

    second.leave().await.unwrap();
    assert_eq!(etcd.keys(PLACE).len(), 1, "it is gone when leave returns");
    until_at(&mut watch, &["tcp://[::1]:4399"]).await;

    registration.leave().await.unwrap();
    until(&mut watch, Snapshot::is_empty).await;
    doge_test_support::eventually(LIMIT, "the lease is revoked", || etcd.leases().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_registration_leaves_and_one_not_waited_for_is_taken_back() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    drop(registration);
    until_keys(&etcd, 0);

    let kept = registry.register(instance("tcp://b:1")).await.unwrap();
    let first_poll = registry.register(instance("tcp://c:1")).now_or_never();
    assert!(first_poll.is_none());
    // It was asked for before this one, so it is dealt with when this one is there.
    let last = registry.register(instance("tcp://d:1")).await.unwrap();
    until_keys(&etcd, 2);
    until_at(&mut watch, &["tcp://b:1", "tcp://d:1"]).await;
    drop((kept, last));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_is_registered_once_at_a_time() {
    let etcd = Etcd::start();
    let (here, there) = (registry(&etcd), registry(&etcd));
    let wanted = instance("tcp://a:1");
    let registration = here.register(wanted.clone()).await.unwrap();
    for other in [&here, &there] {
        let error = other.register(wanted.clone()).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::AlreadyRegistered { .. }),
            "{error}"
        );
    }
    assert_eq!(
        etcd.keys(PLACE).len(),
        1,
        "a refused one has touched the first"
    );
    registration.leave().await.unwrap();
    let again = there.register(wanted).await.unwrap();
    assert_eq!(etcd.keys(PLACE).len(), 1);
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_of_one_key_share_a_source_that_ends_with_the_last() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let first = watch(&registry).await;
    let mut second = watch(&registry).await;
    let watchers = || etcd.metric("etcd_debugging_mvcc_watcher_total");
    doge_test_support::eventually(LIMIT, "one watch in etcd", || watchers() == 1.0);
    drop(first);
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut second, &["tcp://a:1"]).await;
    drop(second);
    // The one that is left is on the instances of this process.
    doge_test_support::eventually(LIMIT, "the watch ends", || watchers() == 1.0);
    let again = watch(&registry).await;
    assert_eq!(again.snapshot().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_kept_apart() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let other_prefix = builder(&etcd).prefix("/other").build().unwrap();
    let names = [
        key().with_group("g"),
        key().with_version("11"),
        ServiceKey::new("hr.employee2"),
    ];
    let mut held = Vec::new();
    for name in names {
        held.push(
            registry
                .register(doge_registry::Instance::new(name, "tcp://x:1"))
                .await
                .unwrap(),
        );
    }
    held.push(other_prefix.register(instance("tcp://x:1")).await.unwrap());
    assert!(watch(&registry).await.snapshot().is_empty());
    assert_eq!(watch(&other_prefix).await.snapshot().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_opened_by_its_url_and_outlives_its_handle() {
    let etcd = Etcd::start();
    let registry = open(&format!("{}/my/place?ttl=2s&confirm=500ms", etcd.url())).unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    drop(registry);
    assert_eq!(etcd.keys("/my/place/default/hr.employee/1/").len(), 1);
    let joined = until(&mut watch, |snapshot| snapshot.len() == 1).await;
    assert_eq!(
        joined.changes_since(&Snapshot::default()),
        [Change::Joined(Arc::clone(registration.instance()))]
    );
    registration.leave().await.unwrap();
    until(&mut watch, Snapshot::is_empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_changes_in_a_moment_are_told_as_few() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    let mut held = Vec::new();
    for port in 1..=50 {
        held.push(
            registry
                .register(instance(&format!("tcp://a:{port}")))
                .await
                .unwrap(),
        );
    }
    let started = std::time::Instant::now();
    let mut told = 0;
    while watch.snapshot().len() < 50 || told == 0 {
        tokio::time::timeout(LIMIT, watch.changed())
            .await
            .unwrap()
            .unwrap();
        told += 1;
    }
    // At most five per second, and the first and the last.
    let most = 2 + started
        .elapsed()
        .div_duration_f64(Duration::from_millis(200)) as usize;
    assert!(told <= most, "told {told} times, of at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_no_keys_are_refused_without_etcd() {
    let registry = doge_registry::Etcd::builder(["127.0.0.1:1"])
        .build()
        .unwrap();
    let error = registry.watch(ServiceKey::new("a/b")).await.unwrap_err();
    assert!(matches!(error, RegistryError::InvalidName { .. }));
    let odd = doge_registry::Instance::new(ServiceKey::new("a").with_group(""), "tcp://a:1");
    let error = registry.register(odd).await.unwrap_err();
    assert!(matches!(error, RegistryError::InvalidName { .. }));
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let registry = doge_registry::Etcd::builder(["127.0.0.1:1"])
        .build()
        .unwrap();
    let error = registry.watch(key()).now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, RegistryError::NoRuntime));
    let error = registry
        .register(instance("a"))
        .now_or_never()
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, RegistryError::NoRuntime));
}

/// The drop of the first took the second with it, for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_failed_and_is_dropped_takes_no_later_one_with_it() {
    let etcd = Etcd::start();
    let link = Link::to(&etcd.addresses()[0]).await;
    let registry = doge_registry::Etcd::builder([link.address()])
        .ttl(crate::common::TTL)
        .request_timeout(Duration::from_millis(300))
        .connect_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let wanted = instance("tcp://a:1");
    link.cut();
    let mut first = registry.register(wanted.clone());
    assert!((&mut first).now_or_never().is_none());
    // Until the first has failed, which nobody has told it.
    let failed = async || match registry.register(wanted.clone()).await {
        Err(RegistryError::AlreadyRegistered { .. }) => None,
        Err(_) => Some(()),
        Ok(_) => panic!("etcd cannot be reached"),
    };
    doge_test_support::eventually_async(LIMIT, "the first has failed", failed).await;
    link.mend();
    let register = async || registry.register(wanted.clone()).await.ok();
    let second = doge_test_support::eventually_async(LIMIT, "the second", register).await;
    drop(first);
    // What is asked for later is done later.
    let third = registry.register(instance("tcp://b:1")).await.unwrap();
    assert_eq!(etcd.keys(PLACE).len(), 2);
    third.leave().await.unwrap();
    assert_eq!(etcd.keys(PLACE), [format!("{PLACE}{}", wanted.id())]);
    second.leave().await.unwrap();
    assert!(etcd.keys(PLACE).is_empty());
}
