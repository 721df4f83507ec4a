use crate::common::{LIMIT, instance, key, until};
use doge_registry::{Change, Memory, Registry, RegistryError, ServiceKey, Snapshot, WatchClosed};
use tokio::time::timeout;

#[tokio::test]
async fn a_watch_has_a_snapshot_at_once_and_hears_of_changes() {
    let registry = Memory::new();
    let early = registry.register(instance("tcp://a:1")).await.unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    let before = watch.snapshot();
    assert_eq!(before.len(), 1);

    let late = registry
        .clone()
        .register(instance("tcp://b:1"))
        .await
        .unwrap();
    let after = until(&mut watch, |snapshot| snapshot.len() == 2).await;
    assert_eq!(
        after.changes_since(&before),
        [Change::Joined(late.instance().clone())]
    );

    drop(early);
    let last = until(&mut watch, |snapshot| snapshot.len() == 1).await;
    assert!(last.get(late.instance().id()).is_some());
    assert_eq!(before.len(), 1, "a snapshot changed");
}

#[tokio::test]
async fn every_watch_hears_of_a_change() {
    let registry = Memory::new();
    let mut first = registry.watch(key()).await.unwrap();
    let mut second = registry.watch(key()).await.unwrap();
    let mut third = first.clone();
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    for watch in [&mut first, &mut second, &mut third] {
        assert_eq!(
            timeout(LIMIT, watch.changed())
                .await
                .unwrap()
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn leaving_is_done_once() {
    let registry = Memory::new();
    let mut watch = registry.watch(key()).await.unwrap();
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let again = (**registration.instance()).clone();
    registration.leave().await.unwrap();
    until(&mut watch, Snapshot::is_empty).await;

    let _held = registry.register(again).await.unwrap();
    assert_eq!(
        watch.snapshot().len(),
        1,
        "a registration that is over took another one along"
    );
}

#[tokio::test]
async fn keys_are_kept_apart() {
    let registry = Memory::new();
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    for other in [
        ServiceKey::new("hr.payroll"),
        key().with_group("other"),
        key().with_version("2"),
    ] {
        assert!(registry.watch(other).await.unwrap().snapshot().is_empty());
    }
}

#[tokio::test]
async fn one_instance_is_registered_once_at_a_time() {
    let registry = Memory::new();
    let one = instance("tcp://a:1");
    let held = registry.register(one.clone()).await.unwrap();
    let error = registry.register(one).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::AlreadyRegistered { .. }),
        "{error}"
    );
    assert_eq!(registry.watch(key()).await.unwrap().snapshot().len(), 1);
    drop(held);
}

#[tokio::test]
async fn names_that_no_folder_could_have_are_refused_here_too() {
    let registry = Memory::new();
    let error = registry.watch(ServiceKey::new("../x")).await.unwrap_err();
    assert!(
        matches!(
            error,
            RegistryError::InvalidName {
                part: "service",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_watch_is_closed_when_its_registry_is_gone() {
    let registry = Memory::new();
    let mut watch = registry.watch(key()).await.unwrap();
    drop(registry);
    let closed = timeout(LIMIT, watch.changed()).await.unwrap();
    assert_eq!(closed, Err(WatchClosed));
    assert!(watch.snapshot().is_empty());
}
