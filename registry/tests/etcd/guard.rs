//! What others delete is noticed, whether it can be watched or not.

use std::time::{Duration, Instant};

use doge_registry::{Instance, Registry, ServiceKey};
use doge_test_support::Etcd;

use crate::common::{PLACE, TTL, instance, registry, until_keys};
use crate::gateway::{Gateway, Watches};
use crate::unwatchable::behind;
use crate::users::{Users, place};

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
    let registry = registry(&etcd);
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    let audits = || {
        etcd.metric(r#"grpc_server_started_total{grpc_method="Txn",grpc_service="etcdserverpb.KV",grpc_type="unary"}"#)
    };
    let before = audits();
    tokio::time::sleep(TTL * 7).await;
    let made = audits() - before;
    // One at the beginning of the watch, and one or two later.
    assert!((1.0..=4.0).contains(&made), "{made} audits");
}

/// Neither can be watched, and one of them not even read.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_denied_keeps_no_other_from_being_audited() {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    for service in ["denied", "ok"] {
        users.may_write("hr", &place(service)).await;
    }
    let gateway = Gateway::to(&users.etcd.addresses()[0]).await;
    let registry = behind(&gateway)
        .ttl(Duration::from_secs(3600))
        .user("hr", "secret")
        .build()
        .unwrap();
    let mut held = Vec::new();
    for service in ["denied", "ok"] {
        let instance = Instance::new(ServiceKey::new(service), "tcp://a:1");
        held.push(registry.register(instance).await.unwrap());
    }
    gateway.set(Watches::Refuse);
    users.may_not("hr", &place("denied")).await;
    users.delete_prefix("/doge/rpc/").await;
    users.until_count(&place("ok"), 1).await;
    assert_eq!(users.count(&place("denied")).await, 0);
}

/// A stream keeps the token that it was opened with.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_added_when_the_token_has_expired_is_guarded() {
    let mut users = Users::start(&["--auth-token-ttl=1"]).await;
    users.add("hr").await;
    users.may_write("hr", "/doge/rpc/").await;
    let ttl = Duration::from_secs(3600);
    let registry = users.builder("hr").ttl(ttl).build().unwrap();
    let mut held = Vec::new();
    for service in ["first", "second"] {
        let instance = Instance::new(ServiceKey::new(service), "tcp://a:1");
        held.push(registry.register(instance).await.unwrap());
        // Nothing is asked for meanwhile.
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    let begun = Instant::now();
    for _ in 0..3 {
        users.delete_prefix(&place("second")).await;
        users.until_count(&place("second"), 1).await;
    }
    // Each would wait for the next try to watch it, which is seconds away by now.
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}
