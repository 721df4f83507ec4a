//! etcd is away for a while: nobody who watches notices, and everything is whole when it is back.

use std::time::{Duration, Instant};

use doge_registry::{Registry, RegistryError};
use doge_test_support::Etcd;

use crate::common::{
    LIMIT, PLACE, TTL, at, etcd, instance, place_of, registry, until_at, until_changes, until_keys,
    watch,
};
use crate::link::Link;

/// Doge's heartbeat ended with its first failure, and its watch with its first error.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_etcd_goes_unnoticed() {
    let mut etcd = etcd();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1"]).await;
    for kill in [false, true] {
        if kill {
            etcd.kill(0);
        } else {
            etcd.stop(0);
        }
        assert_eq!(watch.snapshot().len(), 1);
        etcd.restart(0);
        let second = provider.register(instance("tcp://b:1")).await.unwrap();
        until_at(&mut watch, &["doge://a:1", "doge://b:1"]).await;
        second.leave().await.unwrap();
        until_at(&mut watch, &["doge://a:1"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etcd_that_comes_back_empty_is_whole_within_a_few_seconds() {
    let mut etcd = etcd();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let first = provider.register(instance("tcp://a:1")).await.unwrap();
    let second = provider.register(instance("tcp://a:2")).await.unwrap();
    until_at(&mut watch, &["doge://a:1", "doge://a:2"]).await;
    // So that the history of the next one is shorter for a while.
    until_changes(&etcd, 10);
    etcd.kill(0);
    etcd.wipe(0);
    etcd.restart(0);
    until_keys(&etcd, 2);
    let place = place_of(first.instance());
    assert_eq!(etcd.v2().get(&place).as_deref(), Some("a:1"));
    until_at(&mut watch, &["doge://a:1", "doge://a:2"]).await;
    // The history of this etcd is shorter than what was known, and the watch is with it all the same.
    let third = provider.register(instance("tcp://a:3")).await.unwrap();
    until_at(&mut watch, &["doge://a:1", "doge://a:2", "doge://a:3"]).await;
    drop((second, third));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_etcd_is_away_for_longer_than_keys_live_the_last_snapshot_stays() {
    let mut etcd = etcd();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1"]).await;
    etcd.kill(0);
    let gone = Instant::now();
    while gone.elapsed() < TTL * 3 / 2 {
        // No change is told, and above all no empty list.
        let changed = tokio::time::timeout(TTL / 4, watch.changed()).await;
        assert!(changed.is_err(), "{changed:?}");
        assert_eq!(watch.snapshot().len(), 1);
    }
    let error = provider.register(instance("tcp://b:1")).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, RegistryError::Remote { .. }), "{error:?}");
    assert!(
        text.contains(&etcd.addresses()[0]) && text.contains("see that etcd runs"),
        "{text}"
    );
    etcd.restart(0);
    let second = provider.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1", "doge://c:1"]).await;
    until_keys(&etcd, 2);
    // The key expired with the old etcd, and is there again for good.
    until_changes(&etcd, 6);
    assert!(etcd.v2().get(&place_of(held.instance())).is_some());
    assert_eq!(watch.snapshot().len(), 2);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_etcd_is_away_is_told_so_and_expires() {
    let mut etcd = etcd();
    let registry = registry(&etcd);
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    etcd.kill(0);
    let error = registration.leave().await.unwrap_err();
    assert!(
        error.to_string().contains("take the instance out"),
        "{error}"
    );
    etcd.restart(0);
    until_keys(&etcd, 0);
}

/// Half-open: nothing answers, and no connection breaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_etcd_ends_in_an_error_and_goes_on_when_it_goes_on() {
    let etcd = etcd();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1"]).await;
    etcd.pause(0);
    let started = Instant::now();
    let error = provider.register(instance("tcp://b:1")).await.unwrap_err();
    assert!(error.to_string().contains("within"), "{error}");
    assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
    assert_eq!(watch.snapshot().len(), 1);
    etcd.resume(0);
    let _second = provider.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1", "doge://c:1"]).await;
    until_keys(&etcd, 2);
}

/// etcd keeps the last thousand events.
#[tokio::test(flavor = "multi_thread")]
async fn history_cleared_while_away_is_listed_anew() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let link = Link::to(&etcd.addresses()[0]).await;
    let mut watch = watch(&over(&link)).await;
    v2.set(&format!("{PLACE}/a"), "a:1", 600);
    v2.set(&format!("{PLACE}/b"), "b:1", 600);
    until_at(&mut watch, &["doge://a:1", "doge://b:1"]).await;
    link.cut();
    v2.delete(&format!("{PLACE}/a"));
    v2.set(&format!("{PLACE}/c"), "c:1", 600);
    for at in 0..1100 {
        v2.put("/elsewhere", &format!("value={at}"));
    }
    assert_eq!(watch.snapshot().len(), 2);
    link.mend();
    until_at(&mut watch, &["doge://b:1", "doge://c:1"]).await;
    v2.set(&format!("{PLACE}/d"), "d:1", 600);
    until_at(&mut watch, &["doge://b:1", "doge://c:1", "doge://d:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_away_is_heard_of_afterwards() {
    let etcd = etcd();
    let link = Link::to(&etcd.addresses()[0]).await;
    let mut watch = watch(&over(&link)).await;
    for address in ["a:1", "a:2", "a:3"] {
        link.cut();
        etcd.v2().set(&format!("{PLACE}/a"), address, 600);
        link.mend();
        until_at(&mut watch, &[&format!("doge://{address}")]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_any_member_goes_unnoticed() {
    let mut etcd = Etcd::options().members(3).v2().start();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["doge://a:1"]).await;
    for member in 0..3 {
        etcd.kill(member);
        let second = provider.register(instance("tcp://b:1")).await.unwrap();
        until_at(&mut watch, &["doge://a:1", "doge://b:1"]).await;
        second.leave().await.unwrap();
        until_at(&mut watch, &["doge://a:1"]).await;
        etcd.restart(member);
    }
    assert!(etcd.v2().get(&place_of(held.instance())).is_some());
}

/// A registry that learns nothing but by events, as long as it is connected.
fn over(link: &Link) -> doge_registry::EtcdV2 {
    at(vec![link.address().to_owned()])
        .silence_limit(Duration::from_secs(600))
        .build()
        .unwrap()
}
