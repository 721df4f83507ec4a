//! What others delete is noticed, whether it can be watched or not.

use std::time::Duration;

use doge_registry::Registry;
use doge_test_support::Etcd;

use crate::common::{PLACE, builder, instance, until_keys};
use crate::gateway::{Gateway, Watches};
use crate::unwatchable::behind;

/// The audit comes once in hours with so long a lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_key_is_back_though_nobody_can_watch_it() {
    let etcd = Etcd::start();
    let gateway = Gateway::to(&etcd.addresses()[0]).await;
    let ttl = Duration::from_secs(3600);
    let registry = behind(&gateway).ttl(ttl).build().unwrap();
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    for watches in [Watches::Refuse, Watches::Hang] {
        gateway.set(watches);
        etcd.delete_prefix(PLACE);
        until_keys(&etcd, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_audited_seldom_while_they_are_watched() {
    let etcd = Etcd::start();
    let ttl = Duration::from_secs(1);
    let registry = builder(&etcd).ttl(ttl).build().unwrap();
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    let audits = || {
        etcd.metric(r#"grpc_server_started_total{grpc_method="LeaseTimeToLive",grpc_service="etcdserverpb.Lease",grpc_type="unary"}"#)
    };
    let before = audits();
    tokio::time::sleep(ttl * 9).await;
    let made = audits() - before;
    // One at the beginning of the watch, and two or three later.
    assert!((1.0..=4.0).contains(&made), "{made} audits");
}
