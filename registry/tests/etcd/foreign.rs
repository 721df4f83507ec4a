//! Keys and values that others put.

use doge_test_support::Etcd;

use crate::common::{PLACE, registry, until_at, watch};

#[tokio::test(flavor = "multi_thread")]
async fn bare_addresses_are_instances() {
    let etcd = Etcd::start();
    etcd.put(&format!("{PLACE}10.0.0.1:4399"), "10.0.0.1:4399");
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    let snapshot = watch.snapshot();
    let instance = snapshot.get("10.0.0.1:4399").unwrap();
    assert_eq!(
        (instance.address(), instance.weight()),
        ("doge://10.0.0.1:4399", 100)
    );

    // Doge had an endpoint more for each of these.
    for _ in 0..3 {
        etcd.put(&format!("{PLACE}10.0.0.1:4399"), "10.0.0.1:4400");
    }
    etcd.put(&format!("{PLACE}v6"), "[::1]:4399");
    until_at(&mut watch, &["doge://10.0.0.1:4400", "doge://[::1]:4399"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_passed_over_and_deleting_what_nobody_knows_does_no_harm() {
    let etcd = Etcd::start();
    let garbage = [
        "",
        "{",
        "{}",
        "\u{0}\u{1}",
        "hello",
        "{\"schema\":99}",
        "[1,2]",
        "::1:4399",
    ];
    for (at, value) in garbage.iter().enumerate() {
        etcd.put(&format!("{PLACE}before{at}"), value);
    }
    etcd.put(&format!("{PLACE}a/b/c"), "a:1");
    etcd.put(PLACE, "a:1");
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    assert!(watch.snapshot().is_empty());
    for (at, value) in garbage.iter().enumerate() {
        etcd.put(&format!("{PLACE}after{at}"), value);
        etcd.delete(&format!("{PLACE}before{at}"));
    }
    etcd.delete(PLACE);
    etcd.put(&format!("{PLACE}good"), "a:1");
    until_at(&mut watch, &["doge://a:1"]).await;
}

/// More than one answer may have: in pages, and one of them even alone.
#[tokio::test(flavor = "multi_thread")]
async fn large_values_of_others_hide_no_instance() {
    const MIB: usize = 1024 * 1024;
    let etcd = Etcd::options()
        .arguments([format!("--max-request-bytes={}", 30 * MIB)])
        .start();
    let large = "x".repeat(MIB);
    for at in 0..20 {
        etcd.put(&format!("{PLACE}large{at}"), &large);
    }
    etcd.put(&format!("{PLACE}huge"), &"x".repeat(18 * MIB));
    etcd.put(&format!("{PLACE}a"), "a:1");
    etcd.put(&format!("{PLACE}z"), "z:1");
    let registry = registry(&etcd);
    let mut watch = watch(&registry).await;
    assert_eq!(watch.snapshot().len(), 2);
    etcd.put(&format!("{PLACE}b"), "b:1");
    until_at(&mut watch, &["doge://a:1", "doge://b:1", "doge://z:1"]).await;
}
