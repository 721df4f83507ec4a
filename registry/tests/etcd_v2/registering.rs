//! What becomes of the key of an instance.

use std::time::Instant;

use std::time::Duration;

use doge_registry::{EtcdV2, Instance, Registry, RegistryError, ServiceKey};
use doge_test_support::{Etcd, eventually};
use futures_util::FutureExt;

use crate::common::{
    LIMIT, PLACE, TTL, builder, etcd, instance, key, place_of, registry, until_changes, until_keys,
};

/// A client of doge has one endpoint more for each `set`, and takes one away for each `delete`.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_set_once_refreshed_without_event_and_deleted_once() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let before = etcd.v2().index();
    let wanted = instance("tcp://10.0.1.7:4399");
    let place = place_of(&wanted);
    let registration = registry.register(wanted).await.unwrap();
    // It is there when register returns.
    assert_eq!(etcd.v2().get(&place).as_deref(), Some("10.0.1.7:4399"));
    let started = Instant::now();
    until_changes(&etcd, 4);
    assert!(started.elapsed() > TTL, "it would have been there anyway");
    assert_eq!(etcd.v2().get(&place).as_deref(), Some("10.0.1.7:4399"));

    registration.leave().await.unwrap();
    assert_eq!(etcd.v2().get(&place), None, "it is gone when leave returns");
    let events = etcd.v2().events(PLACE, before);
    assert_eq!(events, [format!("set {place}"), format!("delete {place}")]);
}

/// Doge's heartbeat went on after it had deregistered.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_left_is_not_refreshed_any_more() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let stays = registry.register(instance("tcp://a:1")).await.unwrap();
    let before = etcd.v2().index();
    let leaves = registry.register(instance("tcp://b:1")).await.unwrap();
    let place = place_of(leaves.instance());
    leaves.leave().await.unwrap();
    // In this time it would have been refreshed as often as the other.
    until_changes(&etcd, 3);
    let events = etcd.v2().events(PLACE, before);
    assert_eq!(events, [format!("set {place}"), format!("delete {place}")]);
    drop(stays);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_never_set_again() {
    let etcd = etcd();
    let (here, there) = (registry(&etcd), registry(&etcd));
    let wanted = instance("tcp://a:1");
    let before = etcd.v2().index();
    let registration = here.register(wanted.clone()).await.unwrap();
    for other in [&here, &there] {
        let error = other.register(wanted.clone()).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::AlreadyRegistered { .. }),
            "{error}"
        );
    }
    let place = place_of(&wanted);
    assert_eq!(etcd.v2().events(PLACE, before), [format!("set {place}")]);
    registration.leave().await.unwrap();
    let again = there.register(wanted).await.unwrap();
    until_keys(&etcd, 1);
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_register_the_same_at_the_same_time_set_it_once() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let wanted = instance("tcp://a:1");
    let before = etcd.v2().index();
    let (one, other) = tokio::join!(
        registry.register(wanted.clone()),
        registry.register(wanted.clone())
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    let events = etcd.v2().events(PLACE, before);
    assert_eq!(events, [format!("set {}", place_of(&wanted))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_somebody_deletes_is_set_anew() {
    let etcd = etcd();
    let registry = registry(&etcd);
    let before = etcd.v2().index();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let place = place_of(registration.instance());
    etcd.v2().delete(&place);
    until_keys(&etcd, 1);
    until_changes(&etcd, 2);
    let events = etcd.v2().events(PLACE, before);
    let expected = ["set", "delete", "set"].map(|action| format!("{action} {place}"));
    assert_eq!(events, expected);
    drop(registration);
}

/// What one lost, another has registered since.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_leaves_the_key_of_another_alone() {
    let etcd = etcd();
    let slow = || builder(&etcd).ttl(Duration::from_secs(60)).build().unwrap();
    let (here, there) = (slow(), slow());
    let wanted = instance("tcp://a:1");
    let held = here.register(wanted.clone()).await.unwrap();
    let place = place_of(&wanted);
    etcd.v2().delete(&place);
    let mut moved = serde_json::to_value(&wanted).unwrap();
    moved["address"] = "tcp://b:1".into();
    let moved: Instance = serde_json::from_value(moved).unwrap();
    let others = there.register(moved).await.unwrap();
    held.leave().await.unwrap();
    assert_eq!(etcd.v2().get(&place).as_deref(), Some("b:1"));
    others.leave().await.unwrap();
    assert_eq!(etcd.v2().get(&place), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_registration_leaves_and_one_not_waited_for_is_taken_back() {
    let etcd = etcd();
    let registry = registry(&etcd);
    drop(registry.register(instance("tcp://a:1")).await.unwrap());
    until_keys(&etcd, 0);

    let unwanted = instance("tcp://b:1");
    let place = place_of(&unwanted);
    let before = etcd.v2().index();
    let first_poll = registry.register(unwanted).now_or_never();
    assert!(first_poll.is_none());
    eventually(LIMIT, "it came and went", || etcd.v2().index() > before + 1);
    let events = etcd.v2().events(PLACE, before);
    assert_eq!(events, [format!("set {place}"), format!("delete {place}")]);
}

#[test]
fn an_instance_of_a_process_that_died_expires() {
    let etcd = etcd();
    let before = etcd.v2().index();
    let process = tokio::runtime::Runtime::new().unwrap();
    let registration = process.block_on(async {
        let registry = registry(&etcd);
        registry.register(instance("tcp://a:1")).await.unwrap()
    });
    let place = place_of(registration.instance());
    process.shutdown_background();
    until_keys(&etcd, 0);
    let events = etcd.v2().events(PLACE, before);
    assert_eq!(events, [format!("set {place}"), format!("expire {place}")]);
    let error = registration.leave().now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, RegistryError::Stopped), "{error}");
}

/// Doge slept for no time at all.
#[tokio::test(flavor = "multi_thread")]
async fn the_shortest_time_to_live_is_no_busy_loop() {
    let etcd = etcd();
    let registry = builder(&etcd).ttl(Duration::ZERO).build().unwrap();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let started = Instant::now();
    until_changes(&etcd, 6);
    assert!(started.elapsed() > Duration::from_secs(2));
    assert!(etcd.v2().get(&place_of(registration.instance())).is_some());
}

/// All of these without a word to etcd, which is not there.
#[tokio::test(flavor = "multi_thread")]
async fn what_doge_cannot_be_told_is_refused_with_the_mend() {
    let registry = EtcdV2::builder(["127.0.0.1:1"]).build().unwrap();
    for (refused, mend) in [
        (instance("tcp://[::1]:4399"), "IPv4"),
        (instance("unix:///run/hr.sock"), "tcp://"),
        (instance("10.0.0.1:4399"), "tcp://"),
        (
            Instance::new(key().with_group("payroll"), "tcp://a:1"),
            "EtcdV2Builder::group",
        ),
        (
            Instance::new(key().with_version("2"), "tcp://a:1"),
            "EtcdV2Builder::version",
        ),
    ] {
        let error = registry.register(refused).await.unwrap_err();
        assert!(
            matches!(error, RegistryError::CannotHold { .. }),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(text.contains(mend), "{text}");
    }
    let odd = Instance::new(ServiceKey::new("a/b"), "tcp://a:1");
    let error = registry.register(odd).await.unwrap_err();
    assert!(matches!(error, RegistryError::InvalidName { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etcd_without_the_old_api_is_told_apart() {
    let etcd = Etcd::start();
    let registry = registry(&etcd);
    let errors = [
        registry.register(instance("tcp://a:1")).await.unwrap_err(),
        registry.watch(key()).await.unwrap_err(),
    ];
    for error in errors {
        let text = error.to_string();
        assert!(text.contains("--enable-v2=true"), "{text}");
        assert!(text.contains(&etcd.addresses()[0]), "{text}");
    }
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let registry = EtcdV2::builder(["127.0.0.1:1"]).build().unwrap();
    let watched = registry.watch(key()).now_or_never().unwrap();
    assert!(matches!(watched.unwrap_err(), RegistryError::NoRuntime));
    let registered = registry.register(instance("tcp://a:1"));
    let error = registered.now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, RegistryError::NoRuntime));
}
