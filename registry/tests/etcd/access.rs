//! Users and passwords.

use std::time::Duration;

use doge_registry::{Etcd, Instance, Registry, ServiceKey};
use doge_test_support as support;

use crate::common::{LIMIT, PLACE, TTL, builder, instance, key, until_at, watch};
use crate::users::Users;

/// How long a token is accepted without being used.
const TOKEN_TTL: Duration = Duration::from_secs(1);

/// An etcd that knows `root` and `hr`, who may do everything below `/doge/rpc/`.
async fn with_users() -> Users {
    let mut users = Users::start(&[&format!("--auth-token-ttl={}", TOKEN_TTL.as_secs())]).await;
    users.add("hr").await;
    users.may_write("hr", "/doge/rpc/").await;
    users
}

fn registry_of(etcd: &support::Etcd, password: &str) -> Etcd {
    builder(etcd).user("hr", password).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_is_replaced() {
    let users = with_users().await;
    let etcd = &users.etcd;
    let (provider, consumer) = (registry_of(etcd, "secret"), registry_of(etcd, "secret"));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    // Neither handle asks for anything but the renewal of its lease meanwhile.
    tokio::time::sleep(TOKEN_TTL * 3).await;
    let second = provider.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
    second.leave().await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    assert_eq!(consumer.watch(key()).await.unwrap().snapshot().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_etcd_forgets_tokens_and_nothing_else() {
    let mut users = with_users().await;
    let etcd = &mut users.etcd;
    let (provider, consumer) = (registry_of(etcd, "secret"), registry_of(etcd, "secret"));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    etcd.kill(0);
    etcd.restart(0);
    let _second = support::eventually_async(LIMIT, "it can be written", async || {
        provider.register(instance("tcp://b:1")).await.ok()
    })
    .await;
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_told_so() {
    let users = with_users().await;
    let etcd = &users.etcd;
    let nobody = builder(etcd).build().unwrap();
    let stranger = registry_of(etcd, "wrong");
    let elsewhere = builder(etcd)
        .user("hr", "secret")
        .prefix("/other")
        .build()
        .unwrap();
    for registry in [&nobody, &stranger, &elsewhere] {
        let watched = registry.watch(key()).await.unwrap_err().to_string();
        let registered = registry
            .register(instance("tcp://a:1"))
            .await
            .unwrap_err()
            .to_string();
        for text in [watched, registered] {
            let mend = text.contains("user, password") || text.contains("grant a role");
            assert!(mend, "{text}");
            assert!(
                !text.contains("secret") && !text.contains("wrong"),
                "{text}"
            );
        }
    }
}

/// Open streams end with "permission denied" or go on, and requests fail with "revision of auth store is old".
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_rights_of_others_changes_nothing_here() {
    let users = with_users().await;
    let etcd = &users.etcd;
    let (provider, consumer) = (registry_of(etcd, "secret"), registry_of(etcd, "secret"));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    let mut root = users.root.clone();
    root.user_add("other", "pw", None).await.unwrap();
    let second = provider.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;

    // Taken away and given back: both recover by themselves.
    root.user_revoke_role("hr", "hr").await.unwrap();
    let refused = provider.register(instance("tcp://c:1")).await;
    assert!(refused.is_err());
    tokio::time::sleep(TTL).await;
    assert_eq!(watch.snapshot().len(), 2);
    root.user_grant_role("hr", "hr").await.unwrap();
    let third = support::eventually_async(LIMIT, "it can be written", async || {
        provider.register(instance("tcp://d:1")).await.ok()
    })
    .await;
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1", "tcp://d:1"]).await;
    drop((second, third));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_denied_does_no_harm_to_another() {
    let mut users = Users::start(&[]).await;
    users.add("hr").await;
    users.may_write("hr", PLACE).await;
    let etcd = &users.etcd;
    let (provider, consumer) = (registry_of(etcd, "secret"), registry_of(etcd, "secret"));
    let mut watch = watch(&consumer).await;
    let held = provider.register(instance("tcp://a:1")).await.unwrap();
    let denied = |at: u32| {
        provider.register(Instance::new(
            ServiceKey::new("other"),
            format!("tcp://x:{at}"),
        ))
    };
    // Alone, and in one request with another.
    assert!(denied(1).await.is_err());
    let (denied, second) = tokio::join!(denied(2), provider.register(instance("tcp://b:1")));
    assert!(denied.is_err());
    let second = second.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;

    let mut root = users.root.clone();
    let path = format!("{PLACE}{}", held.instance().id());
    root.delete(path.as_str(), None).await.unwrap();
    support::eventually_async(LIMIT, "the key is back", async || {
        let found = root.kv_client().get(path.as_str(), None).await.unwrap();
        (found.count() == 1).then_some(())
    })
    .await;
    tokio::time::timeout(LIMIT, second.leave())
        .await
        .unwrap()
        .unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
}
