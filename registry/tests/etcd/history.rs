//! An etcd that was given other data than those it had.

use std::time::Duration;

use doge_registry::Etcd as Registry;
use doge_test_support::Etcd;

use crate::common::{PLACE, until_at, watch};
use crate::link::Link;

/// It has as many revisions as before, so that a watch goes on as if nothing had happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_that_moved_on_is_read_anew() {
    let mut etcd = Etcd::start();
    let put = |etcd: &Etcd, id: &str, value: &str| etcd.put(&format!("{PLACE}{id}"), value);
    let link = Link::to(&etcd.addresses()[0]).await;
    // It reads nothing from time to time, and doubts nothing.
    let registry = Registry::builder([link.address()])
        .resync_interval(Duration::from_secs(3600))
        .hold_back(crate::common::confirmed_after(Duration::ZERO))
        .build()
        .unwrap();
    put(&etcd, "a", "a:1");
    put(&etcd, "b", "b:1");
    etcd.stop(0);
    let backup = etcd.backup(0);
    etcd.restart(0);
    let mut watch = watch(&registry).await;
    // What comes after the backup was made: three that join, one that changes, one that leaves.
    for id in ["x", "y", "z"] {
        put(&etcd, id, "x:1");
    }
    put(&etcd, "a", "a:2");
    etcd.delete(&format!("{PLACE}b"));
    until_at(
        &mut watch,
        &["doge://a:2", "doge://x:1", "doge://x:1", "doge://x:1"],
    )
    .await;

    let before = etcd.revision();
    link.cut();
    etcd.stop(0);
    etcd.restore(0, &backup);
    etcd.restart(0);
    while etcd.revision() <= before {
        etcd.put("/elsewhere", "moves on");
    }
    put(&etcd, "n", "n:1");
    link.mend();
    until_at(&mut watch, &["doge://a:1", "doge://b:1", "doge://n:1"]).await;
    put(&etcd, "o", "o:1");
    until_at(
        &mut watch,
        &["doge://a:1", "doge://b:1", "doge://n:1", "doge://o:1"],
    )
    .await;
}
