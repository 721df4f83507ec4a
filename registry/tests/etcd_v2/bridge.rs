//! The registry of Python doge on one side, and on the other one whatever we use.

use std::sync::Arc;

use doge_registry::{Bridge, Memory, Registry, RegistryError, Several, Watch};
use doge_test_support::{self as support, eventually};

use crate::common::{
    LIMIT, PLACE, etcd, instance, key, place_of, registry, until_at, until_changes, until_keys,
    watch,
};

/// Doge's registry and ours, and what is seen in each.
struct Sides {
    doge: Arc<dyn Registry>,
    ours: Arc<dyn Registry>,
    in_doge: Watch,
    in_ours: Watch,
}

async fn sides(etcd: &support::Etcd) -> Sides {
    let doge: Arc<dyn Registry> = Arc::new(registry(etcd));
    let ours: Arc<dyn Registry> = Arc::new(Memory::new());
    Sides {
        in_doge: watch(&*doge).await,
        in_ours: watch(&*ours).await,
        doge,
        ours,
    }
}

async fn bridge(sides: &Sides) -> Bridge {
    let bridge = Bridge::between(&sides.doge, &sides.ours);
    bridge.service(key()).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_side_finds_those_of_the_other_until_they_leave() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let mut sides = sides(&etcd).await;
    let node = format!("{PLACE}/n1");
    v2.set(&node, "10.0.0.1:4399", 600);
    let ours = instance("tcp://10.0.0.2:4399").with_weight(50);
    let ours = sides.ours.register(ours).await.unwrap();
    let bridge = bridge(&sides).await;

    let both = ["doge://10.0.0.1:4399", "tcp://10.0.0.2:4399"];
    let snapshot = until_at(&mut sides.in_ours, &both).await;
    let image = snapshot
        .iter()
        .find(|found| found.id() != ours.instance().id());
    assert_eq!(image.unwrap().tags()["bridge-of"], "n1");
    let both = ["doge://10.0.0.1:4399", "doge://10.0.0.2:4399"];
    until_at(&mut sides.in_doge, &both).await;
    let values: Vec<String> = v2.list(PLACE).into_iter().map(|(_, value)| value).collect();
    assert!(values.contains(&"10.0.0.2:4399".to_owned()), "{values:?}");

    // Who comes later is shown as well, and who leaves is not.
    v2.set(&format!("{PLACE}/n2"), "10.0.0.3:4399", 600);
    v2.delete(&node);
    until_at(
        &mut sides.in_ours,
        &["doge://10.0.0.3:4399", "tcp://10.0.0.2:4399"],
    )
    .await;
    ours.leave().await.unwrap();
    until_at(&mut sides.in_doge, &["doge://10.0.0.3:4399"]).await;
    let again = sides.ours.register(instance("tcp://10.0.0.4:4399"));
    let again = again.await.unwrap();
    until_at(
        &mut sides.in_doge,
        &["doge://10.0.0.3:4399", "doge://10.0.0.4:4399"],
    )
    .await;

    bridge.stop().await.unwrap();
    assert_eq!(
        sides.in_ours.snapshot().len(),
        1,
        "it is gone when stop returns"
    );
    assert_eq!(v2.list(PLACE).len(), 1);
    until_at(&mut sides.in_doge, &["doge://10.0.0.3:4399"]).await;
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shown_is_not_shown_back() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let mut sides = sides(&etcd).await;
    let (first, second) = (bridge(&sides).await, bridge(&sides).await);
    let before = v2.index();
    let node = format!("{PLACE}/n1");
    v2.set(&node, "a:1", 600);
    let _ours = sides.ours.register(instance("tcp://b:1")).await.unwrap();
    // One image from each of the bridges, and none of an image.
    until_at(
        &mut sides.in_ours,
        &["doge://a:1", "doge://a:1", "tcp://b:1"],
    )
    .await;
    until_at(
        &mut sides.in_doge,
        &["doge://a:1", "doge://b:1", "doge://b:1"],
    )
    .await;
    until_changes(&etcd, 6);
    let events = v2.events(PLACE, before);
    assert_eq!(events.len(), 3, "{events:?}");
    assert!(
        events.iter().all(|event| event.starts_with("set ")),
        "{events:?}"
    );
    assert_eq!(sides.in_ours.snapshot().len(), 3);
    drop(first);
    // The other one is still there.
    until_at(&mut sides.in_doge, &["doge://a:1", "doge://b:1"]).await;
    until_at(&mut sides.in_ours, &["doge://a:1", "tcp://b:1"]).await;
    drop(second);
    until_at(&mut sides.in_doge, &["doge://a:1"]).await;
    until_at(&mut sides.in_ours, &["tcp://b:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_registers_in_both_is_there_once() {
    let etcd = etcd();
    let mut sides = sides(&etcd).await;
    let _bridge = bridge(&sides).await;
    let both = Several::new([Arc::clone(&sides.doge), Arc::clone(&sides.ours)]);
    let registration = both.register(instance("tcp://a:1")).await.unwrap();
    // Who is seen on one side first may be shown on the other for a moment.
    until_at(&mut sides.in_doge, &["doge://a:1"]).await;
    until_at(&mut sides.in_ours, &["tcp://a:1"]).await;
    until_changes(&etcd, 4);
    until_at(&mut sides.in_doge, &["doge://a:1"]).await;
    until_at(&mut sides.in_ours, &["tcp://a:1"]).await;
    registration.leave().await.unwrap();
    until_at(&mut sides.in_doge, &[]).await;
    until_at(&mut sides.in_ours, &[]).await;
    assert_eq!(etcd.v2().list(PLACE), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_doge_cannot_be_told_does_not_keep_the_others_back() {
    let etcd = etcd();
    let mut sides = sides(&etcd).await;
    let mut held = Vec::new();
    for address in ["tcp://[::1]:1", "unix:///run/hr.sock", "tcp://a:1", "x:1"] {
        held.push(sides.ours.register(instance(address)).await.unwrap());
    }
    let _bridge = bridge(&sides).await;
    until_at(&mut sides.in_doge, &["doge://a:1"]).await;
    held.push(sides.ours.register(instance("tcp://b:1")).await.unwrap());
    until_at(&mut sides.in_doge, &["doge://a:1", "doge://b:1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_one_side_while_the_other_is_away_is_made_up_for() {
    let mut etcd = etcd();
    let mut sides = sides(&etcd).await;
    let _bridge = bridge(&sides).await;
    etcd.v2().set(&format!("{PLACE}/n1"), "a:1", 600);
    let leaves = sides.ours.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut sides.in_ours, &["doge://a:1", "tcp://b:1"]).await;
    until_at(&mut sides.in_doge, &["doge://a:1", "doge://b:1"]).await;
    etcd.kill(0);
    leaves.leave().await.unwrap();
    let comes = sides.ours.register(instance("tcp://c:1")).await.unwrap();
    until_at(&mut sides.in_ours, &["doge://a:1", "tcp://c:1"]).await;
    etcd.restart(0);
    until_at(&mut sides.in_doge, &["doge://a:1", "doge://c:1"]).await;
    until_keys(&etcd, 2);
    assert_eq!(sides.in_ours.snapshot().len(), 2);
    drop(comes);
}

#[test]
fn what_a_bridge_that_died_left_behind_is_no_instance_of_anybody() {
    let etcd = etcd();
    let process = || tokio::runtime::Runtime::new().unwrap();
    let (dying, living) = (process(), process());
    let place = dying.block_on(async {
        let mut sides = sides(&etcd).await;
        let registration = sides.ours.register(instance("tcp://a:1")).await.unwrap();
        let bridge = bridge(&sides).await;
        until_at(&mut sides.in_doge, &["doge://a:1"]).await;
        // They go with the runtime, and not before.
        std::mem::forget((bridge, registration));
        etcd.v2().list(PLACE).remove(0).0
    });
    dying.shutdown_background();
    living.block_on(async {
        let mut sides = sides(&etcd).await;
        let registration = sides.ours.register(instance("tcp://a:1")).await.unwrap();
        assert_ne!(place, place_of(registration.instance()));
        let bridge = bridge(&sides).await;
        // There at once, and for good.
        until_at(&mut sides.in_doge, &["doge://a:1", "doge://a:1"]).await;
        eventually(LIMIT, "the old one expires", || {
            etcd.v2().get(&place).is_none()
        });
        until_at(&mut sides.in_doge, &["doge://a:1"]).await;
        assert_eq!(
            sides.in_ours.snapshot().len(),
            1,
            "it was taken for an instance"
        );
        bridge.stop().await.unwrap();
        assert_eq!(etcd.v2().list(PLACE), []);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_is_not_there_at_the_start_is_named() {
    let mut etcd = etcd();
    let doge: Arc<dyn Registry> = Arc::new(registry(&etcd));
    let ours: Arc<dyn Registry> = Arc::new(Memory::new());
    etcd.kill(0);
    for (one, other, position) in [(&doge, &ours, 1), (&ours, &doge, 2)] {
        let started = Bridge::between(one, other).service(key()).start().await;
        let error = started.unwrap_err();
        assert!(
            matches!(error, RegistryError::OneOf { position: at, count: 2, .. } if at == position),
            "{error}"
        );
    }
    let error = Bridge::between(&ours, &ours).start().await.unwrap_err();
    assert!(error.to_string().contains("service"), "{error}");
}

/// The old and the new API of one etcd, which know nothing of each other.
#[cfg(feature = "etcd")]
#[tokio::test(flavor = "multi_thread")]
async fn doge_and_the_rest_share_an_etcd() {
    let etcd = etcd();
    let v2 = etcd.v2();
    let doge: Arc<dyn Registry> = Arc::new(registry(&etcd));
    let ours = doge_registry::open(&format!("{}?ttl=2s&confirm=500ms", etcd.url())).unwrap();
    let services = [key(), doge_registry::ServiceKey::new("hr.leave")];
    let bridge = Bridge::between(&doge, &ours).services(services);
    let bridge = bridge.start().await.unwrap();
    let (mut in_doge, mut in_ours) = (watch(&*doge).await, watch(&*ours).await);
    v2.set(&format!("{PLACE}/n1"), "a:1", 600);
    let wanted = instance("tcp://b:1").with_zone("z");
    let registration = ours.register(wanted).await.unwrap();
    until_at(&mut in_ours, &["doge://a:1", "tcp://b:1"]).await;
    until_at(&mut in_doge, &["doge://a:1", "doge://b:1"]).await;
    registration.leave().await.unwrap();
    v2.delete(&format!("{PLACE}/n1"));
    until_at(&mut in_ours, &[]).await;
    until_at(&mut in_doge, &[]).await;
    v2.set("/doge/rpc/hr.leave/n1", "c:1", 600);
    let leave = "/doge/rpc/default/hr.leave/1/";
    eventually(LIMIT, "it is shown", || etcd.keys(leave).len() == 1);
    bridge.stop().await.unwrap();
    assert!(etcd.keys(leave).is_empty());
}
