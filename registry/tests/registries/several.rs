use std::sync::Arc;

use crate::common::{LIMIT, instance, key, until};
use doge_registry::{
    BoxFuture, Instance, Memory, Publisher, Registration, Registry, RegistryError, ServiceKey,
    Several, Snapshot, Static, Watch,
};
use futures_util::FutureExt;
use tokio::time::timeout;

/// Two registries, and both as one.
fn both() -> (Memory, Memory, Several) {
    let (first, second) = (Memory::new(), Memory::new());
    let members: [Arc<dyn Registry>; 2] = [Arc::new(first.clone()), Arc::new(second.clone())];
    (first, second, Several::new(members))
}

async fn count(registry: &Memory) -> usize {
    registry.watch(key()).await.unwrap().snapshot().len()
}

#[tokio::test]
async fn an_instance_is_in_all_of_them_until_it_leaves() {
    let (first, second, several) = both();
    let registration = several.register(instance("tcp://a:1")).await.unwrap();
    for registry in [&first, &second] {
        let found = registry.watch(key()).await.unwrap().snapshot();
        assert!(found.get(registration.instance().id()).is_some());
    }
    registration.leave().await.unwrap();
    assert_eq!((count(&first).await, count(&second).await), (0, 0));

    let registration = several.register(instance("tcp://a:1")).await.unwrap();
    assert_eq!((count(&first).await, count(&second).await), (1, 1));
    drop(registration);
    assert_eq!((count(&first).await, count(&second).await), (0, 0));
}

#[tokio::test]
async fn a_watch_shows_what_any_of_them_has() {
    let (first, second, several) = both();
    let early = first.register(instance("tcp://a:1")).await.unwrap();
    let mut watch = several.watch(key()).await.unwrap();
    assert_eq!(watch.snapshot().len(), 1, "before any change");
    assert!(watch.changed().now_or_never().is_none());

    let late = second.register(instance("tcp://b:1")).await.unwrap();
    let all = until(&mut watch, |snapshot| snapshot.len() == 2).await;
    assert!(all.get(early.instance().id()).is_some() && all.get(late.instance().id()).is_some());

    drop(early);
    until(&mut watch, |snapshot| snapshot.len() == 1).await;
    drop(late);
    until(&mut watch, Snapshot::is_empty).await;
}

#[tokio::test]
async fn of_one_instance_the_first_registry_tells() {
    let (first, second, several) = both();
    let one = instance("tcp://a:1");
    let weighs = |weight: u32| {
        let id = one.id().to_owned();
        move |snapshot: &Snapshot| {
            let found = snapshot.get(&id).map(|instance| instance.weight());
            snapshot.len() == 1 && found == Some(weight)
        }
    };
    let _second = second.register(one.clone().with_weight(2)).await.unwrap();
    let mut watch = several.watch(key()).await.unwrap();
    until(&mut watch, weighs(2)).await;
    let in_first = first.register(one.clone().with_weight(1)).await.unwrap();
    until(&mut watch, weighs(1)).await;
    drop(in_first);
    until(&mut watch, weighs(2)).await;
}

#[tokio::test]
async fn none_at_all_is_as_a_list_without_addresses() {
    for registry in [
        Arc::new(Several::new([])) as Arc<dyn Registry>,
        Arc::new(Static::new()),
    ] {
        let registration = registry.register(instance("tcp://a:1")).await.unwrap();
        let mut watch = registry.watch(key()).await.unwrap();
        assert!(watch.snapshot().is_empty());
        assert!(watch.changed().now_or_never().is_none(), "it is closed");
        registration.leave().await.unwrap();
    }
}

/// A registry whose watches the test sees.
#[derive(Debug)]
struct Told(Publisher);

impl Registry for Told {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        unreachable!("no test registers {instance:?} here")
    }

    fn watch(&self, _: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async { Ok(self.0.watch()) })
    }
}

#[tokio::test]
async fn a_hint_to_a_watch_reaches_all_of_them() {
    let told = [(); 2].map(|()| Arc::new(Told(Publisher::new(Snapshot::default()))));
    let mut hints = told.each_ref().map(|registry| registry.0.hints());
    let several = Several::new(told.map(|registry| registry as Arc<dyn Registry>));
    let watch = several.watch(key()).await.unwrap();
    watch.refresh();
    for hints in &mut hints {
        timeout(LIMIT, hints.next()).await.unwrap();
    }
}

#[test]
fn it_registers_if_one_of_them_does() {
    let fixed: Arc<dyn Registry> = Arc::new(Static::addresses(["tcp://a:1"]));
    let memory: Arc<dyn Registry> = Arc::new(Memory::new());
    assert!(!Several::new([Arc::clone(&fixed), Arc::clone(&fixed)]).registers());
    assert!(Several::new([fixed, memory]).registers());
}

#[tokio::test]
async fn a_bad_name_is_told_as_one_registry_tells_it() {
    let (_, _, several) = both();
    let watched = several.watch(ServiceKey::new("../x")).await.map(drop);
    let registered = several.register(Instance::new(ServiceKey::new("../x"), "tcp://a:1"));
    for result in [watched, registered.await.map(drop)] {
        assert!(matches!(result, Err(RegistryError::InvalidName { .. })));
    }
}

#[test]
fn a_watch_needs_a_runtime() {
    let (_, _, several) = both();
    let watched = several.watch(key()).now_or_never().unwrap();
    assert!(matches!(watched, Err(RegistryError::NoRuntime)));
}
