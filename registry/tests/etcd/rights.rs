//! Rights that are missing or taken away: the harm stays with the keys that they are of.

use std::time::{Duration, Instant};

use doge_registry::{Etcd, Instance, Registration, Registry, RegistryError, ServiceKey, Snapshot};
use futures_util::future::join_all;

use crate::common::{TTL, until, until_at};
use crate::users::{Users, place};

async fn register_in(registry: &Etcd, service: &str, count: usize) -> Vec<Registration> {
    let all = (0..count).map(|at| {
        let instance = Instance::new(ServiceKey::new(service), format!("tcp://a:{at}"));
        registry.register(instance)
    });
    join_all(all)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// An etcd where `hr` has instances of `denied`, and no longer the right to.
async fn with_denied(count: usize) -> (Users, Etcd, Vec<Registration>) {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    users.may_write("hr", &place("denied")).await;
    users.may_write("hr", &place("ok")).await;
    let registry = users.registry("hr");
    let held = register_in(&registry, "denied", count).await;
    (users, registry, held)
}

/// Each try of each of them was two logins, which cost etcd a tenth of a second of CPU each.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_key_is_no_reason_to_log_in_anew() {
    let (mut users, registry, _held) = with_denied(10).await;
    let mut watch = registry.watch(ServiceKey::new("denied")).await.unwrap();
    until(&mut watch, |snapshot| snapshot.len() == 10).await;
    users.may_not("hr", &place("denied")).await;
    users.delete_prefix(&place("denied")).await;
    let before = users.logins();
    tokio::time::sleep(TTL * 3).await;
    let logins = users.logins() - before;
    // One for each of the two, if a token went stale.
    assert!(logins <= 2, "{logins} logins");

    users.may_write("hr", &place("denied")).await;
    users.until_count(&place("denied"), 10).await;
}

/// They were first in each request, and each request failed.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_denied_keys_hold_back_no_others() {
    let (mut users, registry, _denied) = with_denied(120).await;
    let _held = register_in(&registry, "ok", 3).await;
    users.may_not("hr", &place("denied")).await;
    for _ in 0..3 {
        users.revoke_all().await;
        users.until_count(&place("ok"), 0).await;
        let lost = Instant::now();
        users.until_count(&place("ok"), 3).await;
        assert!(
            lost.elapsed() < Duration::from_secs(10),
            "{:?}",
            lost.elapsed()
        );
    }
    assert_eq!(users.count(&place("denied")).await, 0);
    // Who registers now is not behind them either, nor who leaves.
    let late = register_in(&registry, "ok", 1).await;
    for registration in late {
        registration.leave().await.unwrap();
    }
    users.may_write("hr", &place("denied")).await;
    users.until_count(&place("denied"), 120).await;
}

/// The watch that notices was of all services or of none, and then a lost key was found by the audit.
#[tokio::test(flavor = "multi_thread")]
async fn rights_revoked_for_one_service_leave_the_others_guarded() {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    users.may_write("hr", &place("denied")).await;
    users.may_write("hr", &place("ok")).await;
    // With so long a lease, no audit comes to its help.
    let registry = users
        .builder("hr")
        .ttl(Duration::from_secs(3600))
        .build()
        .unwrap();
    let _held = register_in(&registry, "denied", 1).await;
    users.may_not("hr", &place("denied")).await;
    // The set of services changes, so that all are watched anew.
    let _ok = register_in(&registry, "ok", 1).await;
    for _ in 0..5 {
        let deleted = users.root.get(
            place("ok"),
            Some(etcd_client::GetOptions::new().with_prefix()),
        );
        let before = deleted.await.unwrap().kvs()[0].mod_revision();
        users.delete_prefix(&place("ok")).await;
        users.until_count(&place("ok"), 1).await;
        let found = users.root.get(
            place("ok"),
            Some(etcd_client::GetOptions::new().with_prefix()),
        );
        assert!(found.await.unwrap().kvs()[0].mod_revision() > before);
    }
    // Once it may be watched again, it is guarded again.
    users.may_write("hr", &place("denied")).await;
    users.delete_prefix(&place("denied")).await;
    users.until_count(&place("denied"), 1).await;
}

/// As `docs/registry.md` recommends them.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_writes_its_own_service_and_reads_those_that_it_calls() {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    users
        .may_write("hr", "/doge/rpc/default/hr.employee/")
        .await;
    users.may_read("hr", "/doge/rpc/default/hr.payroll/").await;
    users.add("web").await;
    users.may_read("web", "/doge/rpc/").await;
    let (hr, web) = (users.registry("hr"), users.registry("web"));
    let payroll = ServiceKey::new("hr.payroll");

    let mut watch = web.watch(crate::common::key()).await.unwrap();
    assert!(
        hr.watch(payroll.clone())
            .await
            .unwrap()
            .snapshot()
            .is_empty()
    );
    let held = hr
        .register(crate::common::instance("tcp://a:1"))
        .await
        .unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    users.delete_prefix(&place("hr.employee")).await;
    users.until_count(&place("hr.employee"), 1).await;
    users.revoke_all().await;
    users.until_count(&place("hr.employee"), 0).await;
    users.until_count(&place("hr.employee"), 1).await;

    // What is not theirs is denied, and does no harm.
    for (registry, key) in [(&hr, payroll), (&web, crate::common::key())] {
        let denied = registry
            .register(Instance::new(key, "tcp://x:1"))
            .await
            .unwrap_err();
        assert!(matches!(denied, RegistryError::Remote { .. }));
        let text = denied.to_string();
        assert!(
            text.contains("permission denied") && text.contains("role"),
            "{text}"
        );
    }
    let denied = hr
        .watch(ServiceKey::new("other"))
        .await
        .unwrap_err()
        .to_string();
    assert!(denied.contains("permission denied"), "{denied}");
    until_at(&mut watch, &["tcp://a:1"]).await;
    held.leave().await.unwrap();
    until(&mut watch, Snapshot::is_empty).await;
    assert_eq!(users.count("/doge/").await, 0);
}

/// Each watch, the lease and the writer logged in on their own, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_no_longer_right_is_tried_seldom() {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    users.may_write("hr", "/doge/rpc/").await;
    let registry = users.registry("hr");
    let _held = register_in(&registry, "ok", 1).await;
    let mut watches = Vec::new();
    for at in 0..20 {
        let key = ServiceKey::new(format!("s{at}"));
        watches.push(registry.watch(key).await.unwrap());
    }
    let mut root = users.root.clone();
    root.user_change_password("hr", "other").await.unwrap();
    users.revoke_all().await;
    // All that is open ends, and what it was opened with is not valid any more.
    users.etcd.kill(0);
    users.etcd.restart(0);
    let before = users.logins();
    tokio::time::sleep(TTL * 3).await;
    let logins = users.logins() - before;
    // The pauses are half a second to one and a half.
    assert!((1..=20).contains(&logins), "{logins} logins");

    root.user_change_password("hr", "secret").await.unwrap();
    users.until_count(&place("ok"), 1).await;
    let at = ServiceKey::new("s0");
    let _joined = registry
        .register(Instance::new(at, "tcp://a:1"))
        .await
        .unwrap();
    until_at(&mut watches[0], &["tcp://a:1"]).await;
}
