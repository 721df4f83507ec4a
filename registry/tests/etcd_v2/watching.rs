//! Instances come and go, and watches hear of it.

use std::time::Duration;

use doge_registry::{Registry, ServiceKey, open};

use crate::common::{PLACE, builder, etcd, instance, key, registry, until_at, until_keys, watch};

/// Doge's client crashed at its start when there was no directory, or nothing in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_nobody_has_registered_yet_has_no_instances() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    assert!(watch.snapshot().is_empty());
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1"]).await;
    registration.leave().await.unwrap();
    until_at(&mut watch, &[]).await;

    // Now there is a directory with nothing in it.
    let mut second = self::registry(&etcd).watch(key()).await.unwrap();
    assert!(second.snapshot().is_empty());
    etcd.v2().set(&format!("{PLACE}/n1"), "b:1", 60);
    until_at(&mut watch, &["doge://b:1"]).await;
    until_at(&mut second, &["doge://b:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doge_registers_is_an_instance_named_by_its_node() {
    let etcd = etcd();
    etcd.v2().set(&format!("{PLACE}/n1"), "10.0.0.1:4399", 60);
    let watch = watch(&registry(&etcd)).await;
    let snapshot = watch.snapshot();
    let found = snapshot.get("n1").unwrap();
    assert_eq!(
        (found.address(), found.weight()),
        ("doge://10.0.0.1:4399", 100)
    );

    let older = builder(&etcd).meta(false).build().unwrap();
    let watch = older.watch(key()).await.unwrap();
    let snapshot = watch.snapshot();
    let found = snapshot.get("n1").unwrap();
    assert_eq!(found.address(), "msgpack-rpc://10.0.0.1:4399");
}

/// Doge had an endpoint more for each `set` of one key, and passed over `update` and `compareAndSwap`.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_instance_whatever_is_done_to_it() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let mut watch = watch(&registry(&etcd)).await;
    let node = format!("{PLACE}/n1");
    for _ in 0..3 {
        v2.set(&node, "a:1", 60);
    }
    until_at(&mut watch, &["doge://a:1"]).await;
    v2.put(&node, "value=a:2&prevExist=true");
    until_at(&mut watch, &["doge://a:2"]).await;
    v2.put(&node, "value=a:3&prevValue=a:2");
    until_at(&mut watch, &["doge://a:3"]).await;
    v2.put(&format!("{PLACE}/n2"), "value=b:1&prevExist=false");
    until_at(&mut watch, &["doge://a:3", "doge://b:1"]).await;
    v2.delete(&format!("{node}?prevValue=a:3"));
    until_at(&mut watch, &["doge://b:1"]).await;
    v2.set(&format!("{PLACE}/n3"), "c:1", 1);
    until_at(&mut watch, &["doge://b:1", "doge://c:1"]).await;
    // Nobody refreshes it.
    until_at(&mut watch, &["doge://b:1"]).await;
}

/// Doge's watch died of the delete of a key that it had not seen.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_passed_over_and_its_end_does_no_harm() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let garbage = ["", "{}", "hello", "a:0", "tcp://a:1", "::1:1"];
    for (at, value) in garbage.iter().enumerate() {
        v2.set(&format!("{PLACE}/before{at}"), value, 60);
    }
    v2.set(&format!("{PLACE}/deeper/node"), "a:1", 60);
    let mut watch = watch(&registry(&etcd)).await;
    assert!(watch.snapshot().is_empty());
    for (at, value) in garbage.iter().enumerate() {
        v2.set(&format!("{PLACE}/after{at}"), value, 60);
        v2.delete(&format!("{PLACE}/before{at}"));
    }
    v2.set(&format!("{PLACE}/deeper/node"), "a:2", 60);
    v2.delete(&format!("{PLACE}/deeper?recursive=true"));
    v2.set(&format!("{PLACE}/good"), "a:1", 60);
    until_at(&mut watch, &["doge://a:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_deleted_takes_its_instances_with_it() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let mut watch = watch(&registry(&etcd)).await;
    for directory in [PLACE, "/doge"] {
        v2.set(&format!("{PLACE}/n1"), "a:1", 60);
        v2.set(&format!("{PLACE}/n2"), "b:1", 60);
        until_at(&mut watch, &["doge://a:1", "doge://b:1"]).await;
        v2.delete(&format!("{directory}?recursive=true"));
        until_at(&mut watch, &[]).await;
    }
    v2.set(&format!("{PLACE}/n1"), "a:1", 60);
    until_at(&mut watch, &["doge://a:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_are_kept_apart_and_other_groups_have_no_instances() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let v2 = etcd.v2();
    v2.set("/doge/rpc/hr.employee2/n1", "a:1", 60);
    v2.set("/other/hr.employee/n1", "b:1", 60);
    v2.set(&format!("{PLACE}/n1"), "c:1", 60);
    let mut found = watch(&registry).await;
    until_at(&mut found, &["doge://c:1"]).await;
    for other in [key().with_group("payroll"), key().with_version("2")] {
        let watch = registry.watch(other).await.unwrap();
        assert!(watch.snapshot().is_empty());
    }
    let grouped = builder(&etcd).group("payroll").version("2");
    let grouped = grouped.prefix("/other").build().unwrap();
    let wanted = ServiceKey::new("hr.employee")
        .with_group("payroll")
        .with_version("2");
    let mut found = grouped.watch(wanted).await.unwrap();
    until_at(&mut found, &["doge://b:1"]).await;
}

/// Doge lost what happened between its first look and its watch.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_one_look_and_the_next() {
    let etcd = etcd();
    // It hears of nothing but events.
    let registry = builder(&etcd)
        .silence_limit(Duration::from_secs(600))
        .build()
        .unwrap();
    let mut watch = watch(&registry).await;
    let v2 = etcd.v2();
    for at in 1..=100 {
        v2.set(&format!("{PLACE}/n{}", at % 3), &format!("a:{at}"), 60);
    }
    until_at(&mut watch, &["doge://a:100", "doge://a:98", "doge://a:99"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_opened_by_its_url_and_outlives_its_handle() {
    let etcd = etcd();
    let hosts = etcd.addresses().join(",");
    let url = format!("etcd-v2://{hosts}/my/place?ttl=2s&confirm=500ms&silence=1s&meta=no");
    let registry = open(&url).unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    drop(registry);
    assert_eq!(etcd.v2().list("/my/place/hr.employee").len(), 1);
    until_at(&mut watch, &["msgpack-rpc://a:1"]).await;
    registration.leave().await.unwrap();
    until_at(&mut watch, &[]).await;
    until_keys(&etcd, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_of_one_key_share_a_source_that_ends_with_the_last() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let watchers = || etcd.metric("etcd_debugging_store_watchers");
    let limit = crate::common::LIMIT;
    let first = watch(&registry).await;
    let mut second = watch(&registry).await;
    doge_test_support::eventually(limit, "one watch in etcd", || watchers() == 1.0);
    drop(first);
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut second, &["doge://a:1"]).await;
    drop(second);
    doge_test_support::eventually(limit, "the watch ends", || watchers() == 0.0);
    assert_eq!(watch(&registry).await.snapshot().len(), 1);
}
