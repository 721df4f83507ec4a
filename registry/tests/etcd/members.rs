//! etcd with three members, one of which is lost.

use std::time::Duration;

use doge_registry::Registry;
use doge_test_support::{Etcd, eventually};

use crate::common::{LIMIT, TTL, builder, instance, until_at, until_keys, watch};

/// Handles begin with a member at random, so that several of them are with the one that is lost.
#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_any_member_goes_unnoticed() {
    let mut etcd = Etcd::members(3);
    let registry = || {
        builder(&etcd)
            .request_timeout(Duration::from_secs(3))
            .build()
            .unwrap()
    };
    let providers = [registry(), registry(), registry(), registry()];
    let consumers = [registry(), registry(), registry(), registry()];
    let mut watches = Vec::new();
    for consumer in &consumers {
        watches.push(watch(consumer).await);
    }
    let mut held = Vec::new();
    for (at, provider) in providers.iter().enumerate() {
        held.push(
            provider
                .register(instance(&format!("tcp://a:{at}")))
                .await
                .unwrap(),
        );
    }
    let all = ["tcp://a:0", "tcp://a:1", "tcp://a:2", "tcp://a:3"];
    for watch in &mut watches {
        until_at(watch, &all).await;
    }
    for (lost, provider) in providers[..3].iter().enumerate() {
        etcd.kill(lost);
        let late = provider.register(instance("tcp://b:1")).await.unwrap();
        let with = [
            "tcp://a:0",
            "tcp://a:1",
            "tcp://a:2",
            "tcp://a:3",
            "tcp://b:1",
        ];
        for watch in &mut watches {
            until_at(watch, &with).await;
        }
        late.leave().await.unwrap();
        for watch in &mut watches {
            until_at(watch, &all).await;
        }
        etcd.restart(lost);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_member_is_left_for_another() {
    let etcd = Etcd::members(3);
    let registry = builder(&etcd).build().unwrap();
    let mut watch = watch(&registry).await;
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    // One of two is the leader, or has just become it, as often as not.
    for paused in 0..2 {
        etcd.pause(paused);
        // While the others elect a leader, nobody can register.
        let register = async || registry.register(instance("tcp://b:1")).await.ok();
        let late = doge_test_support::eventually_async(LIMIT, "it is registered", register).await;
        until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
        late.leave().await.unwrap();
        until_at(&mut watch, &["tcp://a:1"]).await;
        etcd.resume(paused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_the_last_snapshot_stays() {
    let mut etcd = Etcd::members(3);
    let registry = builder(&etcd).build().unwrap();
    let mut watch = watch(&registry).await;
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    etcd.kill(0);
    etcd.kill(1);
    let stays = tokio::time::timeout(TTL, watch.changed()).await;
    assert!(stays.is_err(), "{stays:?}");
    let refused = registry.register(instance("tcp://b:1")).await;
    assert!(refused.is_err());
    etcd.restart(0);
    etcd.restart(1);
    let registered = || async {
        let registered = registry.register(instance("tcp://c:1")).await;
        registered.ok()
    };
    let _second = doge_test_support::eventually_async(LIMIT, "it can be written", registered).await;
    until_at(&mut watch, &["tcp://a:1", "tcp://c:1"]).await;
    until_keys(&etcd, 2);
    eventually(LIMIT, "all members log", || {
        (0..3).all(|member| !etcd.log(member).is_empty())
    });
}

/// Some of the endpoints may be wrong for good.
#[tokio::test(flavor = "multi_thread")]
async fn dead_endpoints_cost_no_request() {
    let etcd = Etcd::start();
    let mut endpoints = etcd.endpoints();
    endpoints.extend(["127.0.0.1:1".to_owned(), "http://127.0.0.1:2".to_owned()]);
    for _ in 0..6 {
        let registry = doge_registry::Etcd::builder(endpoints.clone())
            .ttl(TTL)
            .build()
            .unwrap();
        let mut watch = watch(&registry).await;
        let registration = registry.register(instance("tcp://a:1")).await.unwrap();
        until_at(&mut watch, &["tcp://a:1"]).await;
        registration.leave().await.unwrap();
    }
}
