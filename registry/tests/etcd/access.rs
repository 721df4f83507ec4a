//! Users and passwords.

use std::time::Duration;

use doge_registry::{Etcd, Instance, Registry, ServiceKey};
use doge_test_support as support;
use etcd_client::{Client, ConnectOptions};
use serde_json::{Value, json};

use crate::common::{LIMIT, PLACE, TTL, builder, instance, key, until_at, watch};

/// How long a token is accepted without being used.
const TOKEN_TTL: Duration = Duration::from_secs(1);

/// An etcd that knows `root` and `hr`, who may do everything below `/doge/rpc/`.
fn with_users() -> support::Etcd {
    with_rights(&below("L2RvZ2UvcnBjLw==", "L2RvZ2UvcnBjMA=="))
}

/// An etcd that knows `root` and `hr`, who has these rights.
fn with_rights(rights: &Value) -> support::Etcd {
    let arguments = [
        format!("--auth-token-ttl={}", TOKEN_TTL.as_secs()),
        // The cheapest there is: the usual one takes a tenth of a second of CPU per login.
        "--bcrypt-cost=4".to_owned(),
    ];
    let etcd = support::Etcd::options().arguments(arguments).start();
    for (path, request) in [
        (
            "/v3/auth/user/add",
            json!({"name": "root", "password": "root"}),
        ),
        (
            "/v3/auth/user/grant",
            json!({"user": "root", "role": "root"}),
        ),
        (
            "/v3/auth/user/add",
            json!({"name": "hr", "password": "secret"}),
        ),
        ("/v3/auth/role/add", json!({"name": "services"})),
        (
            "/v3/auth/role/grant",
            json!({"name": "services", "perm": rights}),
        ),
        (
            "/v3/auth/user/grant",
            json!({"user": "hr", "role": "services"}),
        ),
        ("/v3/auth/enable", json!({})),
    ] {
        if path == "/v3/auth/user/grant" && request["user"] == "root" {
            etcd.call("/v3/auth/role/add", &json!({"name": "root"}));
        }
        etcd.call(path, &request);
    }
    etcd
}

/// To do everything between two keys, which are in Base64.
fn below(key: &str, end: &str) -> Value {
    json!({"permType": "READWRITE", "key": key, "range_end": end})
}

fn registry_of(etcd: &support::Etcd, password: &str) -> Etcd {
    builder(etcd).user("hr", password).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_is_replaced() {
    let etcd = with_users();
    let (provider, consumer) = (registry_of(&etcd, "secret"), registry_of(&etcd, "secret"));
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
    let mut etcd = with_users();
    let (provider, consumer) = (registry_of(&etcd, "secret"), registry_of(&etcd, "secret"));
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
    let etcd = with_users();
    let nobody = builder(&etcd).build().unwrap();
    let stranger = registry_of(&etcd, "wrong");
    let elsewhere = builder(&etcd)
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
            assert!(text.contains("user, password"), "{text}");
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
    let etcd = with_users();
    let (provider, consumer) = (registry_of(&etcd, "secret"), registry_of(&etcd, "secret"));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    let options = ConnectOptions::new()
        .with_user("root", "root")
        .with_auto_token_refresh(true);
    let mut root = Client::connect(etcd.endpoints(), Some(options))
        .await
        .unwrap();
    root.user_add("other", "pw", None).await.unwrap();
    let second = provider.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;

    // Taken away and given back: both recover by themselves.
    root.user_revoke_role("hr", "services").await.unwrap();
    let refused = provider.register(instance("tcp://c:1")).await;
    assert!(refused.is_err());
    tokio::time::sleep(TTL).await;
    assert_eq!(watch.snapshot().len(), 2);
    root.user_grant_role("hr", "services").await.unwrap();
    let third = support::eventually_async(LIMIT, "it can be written", async || {
        provider.register(instance("tcp://d:1")).await.ok()
    })
    .await;
    until_at(&mut watch, &["tcp://a:1", "tcp://b:1", "tcp://d:1"]).await;
    drop((second, third));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_denied_does_no_harm_to_another() {
    // Everything below /doge/rpc/default/hr.employee/.
    let rights = below(
        "L2RvZ2UvcnBjL2RlZmF1bHQvaHIuZW1wbG95ZWUv",
        "L2RvZ2UvcnBjL2RlZmF1bHQvaHIuZW1wbG95ZWUw",
    );
    let etcd = with_rights(&rights);
    let (provider, consumer) = (registry_of(&etcd, "secret"), registry_of(&etcd, "secret"));
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

    let options = ConnectOptions::new().with_user("root", "root");
    let mut root = Client::connect(etcd.endpoints(), Some(options))
        .await
        .unwrap();
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
