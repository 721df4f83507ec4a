//! What becomes of SRV records.

use doge_registry::{Instance, Snapshot};
use doge_test_support::{Mood, NameServer};
use futures_util::FutureExt;

use crate::common::{SRV, places, quick_srv, until, until_asked, watch};

fn weight(snapshot: &Snapshot, place: &str) -> Option<u32> {
    let instance = snapshot.get(&format!("tcp://{place}"));
    instance.map(|instance: &std::sync::Arc<Instance>| instance.weight())
}

/// The hosts `a.` to `c.`, with one address each, and `d.`, which has two.
fn hosts(server: &NameServer) {
    server.set("a.hr.svc.", 0, ["A 10.0.0.1"]);
    server.set("b.hr.svc.", 0, ["A 10.0.0.2"]);
    server.set("c.hr.svc.", 0, ["A 10.0.0.3"]);
    server.set("d.hr.svc.", 0, ["A 10.0.0.4", "A 10.0.0.5"]);
}

#[tokio::test]
async fn targets_have_their_ports_and_weights() {
    let server = NameServer::start();
    hosts(&server);
    let records = [
        "SRV 0 10 7001 a.hr.svc.",
        "SRV 0 30 7002 b.hr.svc.",
        "SRV 0 0 7003 c.hr.svc.",
        "SRV 0 40 7004 D.HR.svc.",
    ];
    server.set(SRV, 0, records);
    for along in [false, true] {
        server.sends_targets_along(along);
        let before = server.questions().len();
        let watch = watch(quick_srv(&server)).await;
        let snapshot = watch.snapshot();
        let asked = &server.questions()[before..];
        assert_eq!(asked.iter().any(|it| it.kind == "A"), !along, "{asked:?}");
        drop(watch);
        assert_eq!(snapshot.len(), 5);
        for (place, expected) in [
            ("10.0.0.1:7001", 50),
            ("10.0.0.2:7002", 150),
            ("10.0.0.3:7003", 1),
            ("10.0.0.4:7004", 100),
            ("10.0.0.5:7004", 100),
        ] {
            assert_eq!(weight(&snapshot, place), Some(expected), "{place}");
        }
    }
}

#[tokio::test]
async fn the_lowest_priority_that_has_addresses_counts() {
    let server = NameServer::start();
    hosts(&server);
    let records = ["SRV 10 1 7001 a.hr.svc.", "SRV 20 1 7002 b.hr.svc."];
    server.set(SRV, 0, records);
    let mut watch = watch(quick_srv(&server)).await;
    assert_eq!(places(&watch.snapshot()), ["10.0.0.1:7001"]);

    server.set("a.hr.svc.", 0, [""; 0]);
    until(&mut watch, &["10.0.0.2:7002"]).await;
    server.set("a.hr.svc.", 0, ["A 10.0.0.9"]);
    until(&mut watch, &["10.0.0.9:7001"]).await;
}

#[tokio::test]
async fn targets_that_cannot_be_looked_up_stay_as_they_were() {
    let server = NameServer::start();
    hosts(&server);
    server.set(SRV, 0, ["SRV 0 1 7001 a.hr.svc.", "SRV 1 1 7002 b.hr.svc."]);
    let mut watch = watch(quick_srv(&server)).await;
    until(&mut watch, &["10.0.0.1:7001"]).await;
    for kind in ["A", "AAAA"] {
        server.becomes_for(kind, Mood::ServFail);
    }
    until_asked(&server, 8).await;
    assert!(watch.changed().now_or_never().is_none());
    // What the SRV records say is followed.
    server.set(SRV, 0, ["SRV 0 1 7009 a.hr.svc.", "SRV 0 1 7002 b.hr.svc."]);
    until(&mut watch, &["10.0.0.1:7009"]).await;
    for kind in ["A", "AAAA"] {
        server.becomes_for(kind, Mood::Honest);
    }
    until(&mut watch, &["10.0.0.1:7009", "10.0.0.2:7002"]).await;
}

#[tokio::test]
async fn a_service_that_says_it_is_not_there_keeps_its_list() {
    let server = NameServer::start();
    hosts(&server);
    server.set(SRV, 0, ["SRV 0 1 7001 a.hr.svc."]);
    let mut watch = watch(quick_srv(&server)).await;
    server.set(SRV, 0, ["SRV 0 0 0 ."]);
    until_asked(&server, 4).await;
    assert_eq!(places(&watch.snapshot()), ["10.0.0.1:7001"]);
    server.set(SRV, 0, ["SRV 0 1 7002 a.hr.svc."]);
    until(&mut watch, &["10.0.0.1:7002"]).await;
}

#[tokio::test]
async fn an_alias_leads_to_srv_records() {
    let server = NameServer::start();
    hosts(&server);
    server.set(SRV, 0, ["CNAME _doge._tcp.blue.hr.svc."]);
    server.set("_doge._tcp.blue.hr.svc.", 0, ["SRV 0 1 7001 a.hr.svc."]);
    for follows in [true, false] {
        server.follows_aliases(follows);
        let snapshot = watch(quick_srv(&server)).await.snapshot();
        assert_eq!(places(&snapshot), ["10.0.0.1:7001"], "follows: {follows}");
    }
    // An alias of itself does not end, and is no list.
    server.set(SRV, 0, [format!("CNAME {SRV}")]);
    let watched = quick_srv(&server).build().unwrap();
    let watched = doge_registry::Registry::watch(&watched, crate::common::key()).await;
    if let Ok(watch) = watched {
        assert!(watch.snapshot().is_empty());
    }
}

#[tokio::test]
async fn of_targets_with_many_addresses_1000_are_listed() {
    let server = NameServer::start();
    server.sends_targets_along(true);
    for host in 1..=2 {
        let addresses = (0..600).map(|it| format!("A 10.{host}.{}.{}", it / 100, it % 100));
        server.set(&format!("p{host}."), 60, addresses);
    }
    server.set(SRV, 60, ["SRV 0 1 7000 p2.", "SRV 0 1 7000 p1."]);
    let snapshot = watch(quick_srv(&server)).await.snapshot();
    assert_eq!(snapshot.len(), 1_000);
    assert!(snapshot.get("tcp://10.1.5.99:7000").is_some());
    assert!(snapshot.get("tcp://10.2.4.0:7000").is_none());
}
