use crate::common::{instance, key};
use doge_registry::{Registry, ServiceKey, Static};
use futures_util::FutureExt;

#[tokio::test]
async fn a_service_has_its_own_addresses_or_those_for_all() {
    let registry = Static::addresses(["tcp://a:1", "tcp://b:1", "tcp://a:1"])
        .service("hr.payroll", ["tcp://c:1"])
        .service("hr.closed", [""; 0]);
    for (service, expected) in [
        ("hr.employee", vec!["tcp://a:1", "tcp://b:1"]),
        ("hr.payroll", vec!["tcp://c:1"]),
        ("hr.closed", vec![]),
    ] {
        let key = ServiceKey::new(service).with_version("7");
        let snapshot = registry.watch(key.clone()).await.unwrap().snapshot();
        let addresses: Vec<&str> = snapshot.iter().map(|instance| instance.address()).collect();
        assert_eq!(addresses, expected);
        assert!(snapshot.iter().all(|instance| *instance.key() == key));
    }
    assert!(
        Static::new()
            .watch(key())
            .await
            .unwrap()
            .snapshot()
            .is_empty()
    );
}

#[tokio::test]
async fn registering_changes_nothing_and_a_watch_waits_for_ever() {
    let registry = Static::addresses(["tcp://a:1"]);
    let mut watch = registry.watch(key()).await.unwrap();
    let before = watch.snapshot();
    let registration = registry.register(instance("tcp://b:1")).await.unwrap();
    assert!(watch.changed().now_or_never().is_none());
    registration.leave().await.unwrap();
    drop(registry.register(instance("tcp://b:1")).await.unwrap());
    drop(registry);
    assert!(watch.changed().now_or_never().is_none());
    assert_eq!(watch.snapshot(), before);
}

#[tokio::test]
async fn every_watch_of_a_service_tells_of_the_same_instances() {
    let registry = Static::addresses(["tcp://a:1"]);
    let first = registry.watch(key()).await.unwrap().snapshot();
    let second = registry.watch(key()).await.unwrap().snapshot();
    assert!(second.changes_since(&first).is_empty());
}
