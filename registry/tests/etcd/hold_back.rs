//! A list that suddenly lacks most instances is confirmed before anyone hears of it.

use std::time::{Duration, Instant};

use doge_registry::Snapshot;
use doge_test_support::Etcd;

use crate::common::{LIMIT, PLACE, builder, confirmed_after, until, until_at, watch};

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_secs(1);

fn fill(etcd: &Etcd, count: usize) {
    for at in 0..count {
        etcd.put(&format!("{PLACE}{at}"), &format!("a:{}", at + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_at_once_stays_until_it_is_confirmed() {
    let etcd = Etcd::start();
    fill(&etcd, 4);
    let quick = builder(&etcd)
        .hold_back(confirmed_after(SHORT))
        .build()
        .unwrap();
    let never = builder(&etcd)
        .hold_back(confirmed_after(LONG))
        .build()
        .unwrap();
    let (mut quick, mut never) = (watch(&quick).await, watch(&never).await);
    let wiped = Instant::now();
    etcd.delete_prefix(PLACE);
    until(&mut quick, Snapshot::is_empty).await;
    assert!(wiped.elapsed() >= SHORT, "{:?}", wiped.elapsed());
    assert_eq!(never.snapshot().len(), 4);

    // One that joins is seen at once, and those that are back are in doubt no more.
    etcd.put(&format!("{PLACE}new"), "b:1");
    until(&mut never, |snapshot| snapshot.len() == 5).await;
    until_at(&mut quick, &["doge://b:1"]).await;
    etcd.put(&format!("{PLACE}newer"), "b:2");
    until_at(&mut never, &["doge://b:1", "doge://b:2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_restored_in_time_was_never_gone() {
    let etcd = Etcd::start();
    fill(&etcd, 4);
    let registry = builder(&etcd)
        .hold_back(confirmed_after(SHORT * 2))
        .build()
        .unwrap();
    let mut watch = watch(&registry).await;
    etcd.delete_prefix(PLACE);
    fill(&etcd, 4);
    etcd.put(&format!("{PLACE}last"), "z:1");
    let mut seen = watch.snapshot();
    let started = Instant::now();
    while seen.len() < 5 {
        assert_eq!(seen.len(), 4);
        seen = tokio::time::timeout(LIMIT, watch.changed())
            .await
            .unwrap()
            .unwrap();
    }
    assert!(started.elapsed() < LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn losses_one_after_the_other_count_as_one() {
    let etcd = Etcd::start();
    fill(&etcd, 8);
    let registry = builder(&etcd)
        .hold_back(confirmed_after(LONG))
        .build()
        .unwrap();
    let mut watch = watch(&registry).await;
    for at in 0..8 {
        etcd.delete(&format!("{PLACE}{at}"));
        if at < 4 {
            until(&mut watch, |snapshot| snapshot.len() == 7 - at).await;
        }
    }
    etcd.put(&format!("{PLACE}new"), "b:1");
    // That it is there tells that the deletions before it were seen.
    until(&mut watch, |snapshot| snapshot.get("new").is_some()).await;
    assert_eq!(watch.snapshot().len(), 5);
}
