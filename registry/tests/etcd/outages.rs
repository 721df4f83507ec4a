//! etcd is away for a while: nobody who watches notices, and everything is whole when it is back.

use std::time::{Duration, Instant};

use doge_registry::{Etcd as Registry, Registry as _, RegistryError};
use doge_test_support::{Etcd, eventually};
use futures_util::future::join_all;

use crate::common::{LIMIT, PLACE, TTL, builder, instance, registry, until_at, until_keys, watch};
use crate::link::Link;

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_etcd_goes_unnoticed() {
    let mut etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    for kill in [false, true] {
        if kill {
            etcd.kill(0);
        } else {
            etcd.stop(0);
        }
        assert_eq!(watch.snapshot().len(), 1);
        etcd.restart(0);
        // It is there before and after it is put on a new lease, and the watch hears of what comes next.
        let second = provider.register(instance("tcp://b:1")).await.unwrap();
        until_at(&mut watch, &["tcp://a:1", "tcp://b:1"]).await;
        second.leave().await.unwrap();
        until_at(&mut watch, &["tcp://a:1"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etcd_that_comes_back_empty_is_whole_within_a_few_seconds() {
    let mut etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let mut held = Vec::new();
    for port in 1..=4 {
        held.push(
            provider
                .register(instance(&format!("tcp://a:{port}")))
                .await
                .unwrap(),
        );
    }
    until_at(
        &mut watch,
        &["tcp://a:1", "tcp://a:2", "tcp://a:3", "tcp://a:4"],
    )
    .await;
    etcd.kill(0);
    etcd.wipe(0);
    etcd.restart(0);
    until_keys(&etcd, 4);
    // The history of this etcd is shorter than what was known, and the watch is with it all the same.
    held.push(provider.register(instance("tcp://a:5")).await.unwrap());
    let all = [
        "tcp://a:1",
        "tcp://a:2",
        "tcp://a:3",
        "tcp://a:4",
        "tcp://a:5",
    ];
    until_at(&mut watch, &all).await;
}

/// Doge's watch ended with its first error, and its heartbeat with its first failure.
#[tokio::test(flavor = "multi_thread")]
async fn while_etcd_is_away_for_longer_than_leases_live_the_last_snapshot_stays() {
    let mut etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
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
    let back = Instant::now();
    let second = provider.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://c:1"]).await;
    until_keys(&etcd, 2);
    assert!(back.elapsed() < LIMIT / 2);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_while_etcd_is_away_is_told_so_and_expires() {
    let mut etcd = Etcd::start();
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
    assert!(etcd.leases().is_empty(), "a lease is renewed for nobody");
}

/// Half-open: nothing answers, and no connection breaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_etcd_ends_in_an_error_and_goes_on_when_it_goes_on() {
    let etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), registry(&etcd));
    let mut watch = watch(&consumer).await;
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    etcd.pause(0);
    let started = Instant::now();
    let error = provider.register(instance("tcp://b:1")).await.unwrap_err();
    assert!(error.to_string().contains("within"), "{error}");
    let error = consumer.watch(key_of_nobody()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Remote { .. }), "{error}");
    assert!(started.elapsed() < LIMIT / 2, "{:?}", started.elapsed());
    assert_eq!(watch.snapshot().len(), 1);
    etcd.resume(0);
    let _second = provider.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://c:1"]).await;
    until_keys(&etcd, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_compacted_while_away_is_read_anew() {
    let etcd = Etcd::start();
    let link = Link::to(&etcd.addresses()[0]).await;
    let mut watch = watch(&over(&link)).await;
    etcd.put(&format!("{PLACE}a"), "a:1");
    etcd.put(&format!("{PLACE}b"), "b:1");
    until_at(&mut watch, &["doge://a:1", "doge://b:1"]).await;
    link.cut();
    etcd.delete(&format!("{PLACE}a"));
    etcd.put(&format!("{PLACE}c"), "c:1");
    etcd.compact();
    assert_eq!(watch.snapshot().len(), 2);
    link.mend();
    until_at(&mut watch, &["doge://b:1", "doge://c:1"]).await;
    etcd.put(&format!("{PLACE}d"), "d:1");
    until_at(&mut watch, &["doge://b:1", "doge://c:1", "doge://d:1"]).await;
}

/// Doge lost what happened between its first look and its watch, and whatever its watch was not there for.
#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_away_is_heard_of_afterwards() {
    let etcd = Etcd::start();
    let link = Link::to(&etcd.addresses()[0]).await;
    let mut watch = watch(&over(&link)).await;
    for address in ["a:1", "a:2", "a:3"] {
        link.cut();
        etcd.put(&format!("{PLACE}a"), address);
        link.mend();
        until_at(&mut watch, &[&format!("doge://{address}")]).await;
    }
}

/// A registry that learns nothing but by events.
fn over(link: &Link) -> Registry {
    Registry::builder([link.address()])
        .resync_interval(Duration::from_secs(3600))
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_again_from_time_to_time() {
    let etcd = Etcd::start();
    let often = builder(&etcd)
        .resync_interval(Duration::from_secs(1))
        .build()
        .unwrap();
    let _watch = watch(&often).await;
    let readings = || etcd.metric("etcd_debugging_mvcc_range_total");
    let before = readings();
    eventually(LIMIT, "two more readings", || readings() >= before + 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_etcd_refuses_clearly_keeps_what_is_there_and_recovers() {
    let quota = 16 * 1024 * 1024;
    let etcd = Etcd::options()
        .arguments([format!("--quota-backend-bytes={quota}")])
        .start();
    let ttl = Duration::from_secs(3);
    let provider = builder(&etcd).ttl(ttl).build().unwrap();
    let consumer = registry(&etcd);
    let mut watch = watch(&consumer).await;
    let first = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    let filler = "x".repeat(1024 * 1024);
    let full = || std::panic::catch_unwind(|| etcd.put("/filler", &filler)).is_err();
    eventually(LIMIT, "etcd is full", full);

    let error = provider
        .register(instance("tcp://b:1"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("space exceeded") && error.contains("alarm disarm"),
        "{error}"
    );
    let stays = tokio::time::timeout(ttl * 3 / 2, watch.changed()).await;
    assert!(stays.is_err(), "{stays:?}");
    assert_eq!(
        etcd.keys(PLACE).len(),
        1,
        "leases are renewed in a full etcd"
    );

    etcd.make_room();
    let second = provider.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1", "tcp://c:1"]).await;
    drop((first, second));
}

/// One login serves all, so that its failure has to serve all as well.
#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_for_a_login_that_hangs_hear_of_it_together() {
    // It accepts, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let limit = Duration::from_millis(500);
    let registry = Registry::builder([silent.local_addr().unwrap().to_string()])
        .user("hr", "secret")
        .request_timeout(limit)
        .connect_timeout(limit)
        .build()
        .unwrap();
    let begun = Instant::now();
    let watching = (0..20).map(|at| {
        let key = doge_registry::ServiceKey::new(format!("s{at}"));
        registry.watch(key)
    });
    for watched in join_all(watching).await {
        assert!(watched.is_err());
    }
    // Two tries each, and not forty one after the other.
    assert!(begun.elapsed() < limit * 8, "{:?}", begun.elapsed());
}

fn key_of_nobody() -> doge_registry::ServiceKey {
    doge_registry::ServiceKey::new("nobody")
}
