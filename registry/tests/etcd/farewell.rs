//! An instance that leaves says so, and is not taken for one that was lost.

use std::time::Duration;

use doge_registry::{Instance, Registry, Snapshot};
use doge_test_support::Etcd;
use etcd_client::{Client, EventType, WatchOptions};
use serde_json::Value;
use tokio::time::timeout;

use crate::common::{
    LIMIT, PLACE, builder, confirmed_after, instance, registry, until, until_at, until_keys, watch,
};

/// A registry that believes no loss within the time of a test.
fn doubting(etcd: &Etcd) -> doge_registry::Etcd {
    let never = confirmed_after(Duration::from_secs(3600));
    builder(etcd).hold_back(never).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_instance_that_leaves_is_not_doubted() {
    let etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), doubting(&etcd));
    let mut watch = watch(&consumer).await;
    for _ in 0..3 {
        let registration = provider.register(instance("tcp://a:1")).await.unwrap();
        until_at(&mut watch, &["tcp://a:1"]).await;
        registration.leave().await.unwrap();
        until(&mut watch, Snapshot::is_empty).await;
    }
    // All of several processes at once, and one that is merely dropped.
    let mut held = Vec::new();
    for at in 0..4 {
        held.push(
            registry(&etcd)
                .register(instance(&format!("tcp://a:{at}")))
                .await
                .unwrap(),
        );
    }
    until(&mut watch, |snapshot| snapshot.len() == 4).await;
    drop(held.pop());
    for registration in held {
        registration.leave().await.unwrap();
    }
    until(&mut watch, Snapshot::is_empty).await;
    until_keys(&etcd, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_say_nothing_are_doubted_and_those_who_do_are_not() {
    let etcd = Etcd::start();
    let (lost, leaving, consumer) = (registry(&etcd), registry(&etcd), doubting(&etcd));
    let mut watch = watch(&consumer).await;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    // The process of three of them dies with its runtime, and they expire.
    let held = runtime.spawn(async move {
        let mut held = Vec::new();
        for at in 0..3 {
            held.push(
                lost.register(instance(&format!("tcp://lost:{at}")))
                    .await
                    .unwrap(),
            );
        }
        held
    });
    let held = held.await.unwrap();
    let registration = leaving.register(instance("tcp://leaving:1")).await.unwrap();
    until(&mut watch, |snapshot| snapshot.len() == 4).await;
    runtime.shutdown_background();
    until_keys(&etcd, 1);
    registration.leave().await.unwrap();
    let all = ["tcp://lost:0", "tcp://lost:1", "tcp://lost:2"];
    until_at(&mut watch, &all).await;
    let changed = timeout(Duration::from_millis(500), watch.changed()).await;
    assert!(changed.is_err(), "{changed:?}");
    drop(held);
}

/// Those who do not know the mark see a weight of 0, which gets no calls.
#[tokio::test(flavor = "multi_thread")]
async fn the_farewell_is_the_instance_with_a_weight_of_nothing_on_its_lease() {
    let etcd = Etcd::start();
    let provider = registry(&etcd);
    let wanted = instance("tcp://a:1").with_tag("k", "v");
    let registration = provider.register(wanted.clone()).await.unwrap();
    let mut client = Client::connect(etcd.endpoints(), None).await.unwrap();
    let path = format!("{PLACE}{}", wanted.id());
    let mut events = client
        .watch(path.as_str(), Some(WatchOptions::new().with_prefix()))
        .await
        .unwrap();
    registration.leave().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let response = timeout(LIMIT, events.message())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        seen.extend(response.events().iter().cloned());
    }
    let [mark, gone] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (mark.event_type(), gone.event_type()),
        (EventType::Put, EventType::Delete)
    );
    let kv = mark.kv().unwrap();
    assert!(
        kv.lease() != 0,
        "it would stay for ever if its process died now"
    );
    let mut value: Value = serde_json::from_slice(kv.value()).unwrap();
    let said: Instance = serde_json::from_value(value["instance"].take()).unwrap();
    assert_eq!(said, wanted.with_weight(0).with_tag("leaving", "yes"));
}

/// Its process died between the two steps.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_has_said_farewell_is_gone_though_its_key_is_there() {
    let etcd = Etcd::start();
    let (provider, consumer) = (registry(&etcd), doubting(&etcd));
    let mut watch = watch(&consumer).await;
    let registration = provider.register(instance("tcp://a:1")).await.unwrap();
    until_at(&mut watch, &["tcp://a:1"]).await;
    let path = format!("{PLACE}{}", registration.instance().id());
    let value = etcd.get(&path).unwrap();
    let mark = value.replace(
        "\"weight\":100",
        "\"weight\":0,\"tags\":{\"leaving\":\"yes\"}",
    );
    assert_ne!(mark, value);
    etcd.put_keeping_lease(&path, &mark);
    until(&mut watch, Snapshot::is_empty).await;
    assert!(
        crate::common::watch(&registry(&etcd))
            .await
            .snapshot()
            .is_empty()
    );
    // It was wrong, and is there again.
    etcd.put_keeping_lease(&path, &value);
    until_at(&mut watch, &["tcp://a:1"]).await;
}
