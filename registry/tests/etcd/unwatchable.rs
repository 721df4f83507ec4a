//! Requests are answered, and no watch can be opened.

use std::time::Duration;

use doge_registry::{Etcd as Registry, Snapshot};
use doge_test_support::Etcd;

use crate::common::{PLACE, TTL, confirmed_after, until, until_at, watch};
use crate::gateway::{Gateway, Watches};

/// A registry that does nothing from time to time, and asks through the gateway.
pub(crate) fn behind(gateway: &Gateway) -> doge_registry::EtcdBuilder {
    Registry::builder([gateway.address()])
        .request_timeout(Duration::from_secs(1))
        .resync_interval(Duration::from_secs(3600))
        .hold_back(confirmed_after(Duration::from_secs(1)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_read_while_it_cannot_be_watched() {
    let etcd = Etcd::start();
    let gateway = Gateway::to(&etcd.addresses()[0]).await;
    for at in 0..4 {
        etcd.put(&format!("{PLACE}{at}"), &format!("a:{}", at + 1));
    }
    let registry = behind(&gateway).ttl(TTL).build().unwrap();
    let mut watch = watch(&registry).await;
    for watches in [Watches::Refuse, Watches::Hang] {
        gateway.set(watches);
        etcd.put(&format!("{PLACE}new"), "b:1");
        until(&mut watch, |snapshot| snapshot.len() == 5).await;
        // Most of them at once, which is doubted, and confirmed by reading it again.
        for at in 0..4 {
            etcd.delete(&format!("{PLACE}{at}"));
        }
        until_at(&mut watch, &["doge://b:1"]).await;
        etcd.delete(&format!("{PLACE}new"));
        until(&mut watch, Snapshot::is_empty).await;
        for at in 0..4 {
            etcd.put(&format!("{PLACE}{at}"), &format!("a:{}", at + 1));
        }
        until(&mut watch, |snapshot| snapshot.len() == 4).await;
        gateway.set(Watches::Pass);
        etcd.put(&format!("{PLACE}last"), "c:1");
        until(&mut watch, |snapshot| snapshot.get("last").is_some()).await;
        etcd.delete(&format!("{PLACE}last"));
        until(&mut watch, |snapshot| snapshot.len() == 4).await;
    }
}
