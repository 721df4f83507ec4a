use std::fs;
use std::time::Duration;

use doge_registry::{Change, Env, File, Instance, Registry, Snapshot, WatchClosed};
use futures_util::FutureExt;
use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::common::{LIMIT, instance, key, path_of, quick, until};

#[tokio::test]
async fn an_instance_joins_as_one_file_and_leaves_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("made/when/needed");
    let registry = quick(&root);
    let mut watch = registry.watch(key()).await.unwrap();
    assert!(watch.snapshot().is_empty());

    let wanted = instance("tcp://a:1").with_zone("z").with_tag("k", "v");
    let registration = registry.register(wanted.clone()).await.unwrap();
    let path = path_of(&root, &wanted);
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["instance"]["address"], "tcp://a:1");
    let joined = until(&mut watch, |snapshot| !snapshot.is_empty()).await;
    assert_eq!(**joined.get(wanted.id()).unwrap(), wanted);

    registration.leave().await.unwrap();
    assert!(!path.exists());
    until(&mut watch, Snapshot::is_empty).await;
}

#[tokio::test]
async fn a_dropped_registration_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let path = path_of(folder.path(), registration.instance());
    let mut watch = registry.watch(key()).await.unwrap();
    assert_eq!(watch.snapshot().len(), 1);
    drop(registration);
    assert!(!path.exists());
    until(&mut watch, Snapshot::is_empty).await;
}

#[test]
fn a_register_that_is_not_waited_for_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let wanted = instance("tcp://a:1");
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build();
    runtime.unwrap().block_on(async {
        // The only thread for files is busy, so that nothing is written before the future is dropped.
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || released.recv());
        let mut registering = registry.register(wanted.clone());
        assert!(registering.as_mut().now_or_never().is_none());
        drop(registering);
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        // An id may be registered again only once its earlier entry is gone.
        let registration = registry.register(wanted).await.unwrap();
        registration.leave().await.unwrap();
    });
}

#[tokio::test]
async fn a_deleted_file_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    fs::remove_file(path_of(folder.path(), registration.instance())).unwrap();
    until(&mut watch, Snapshot::is_empty).await;
    until(&mut watch, |snapshot| snapshot.len() == 1).await;
}

#[tokio::test]
async fn an_entry_edited_by_hand_is_an_update() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let registration = registry.register(instance("tcp://a:1")).await.unwrap();
    let mut watch = registry.watch(key()).await.unwrap();
    let before = watch.snapshot();
    let path = path_of(folder.path(), registration.instance());
    let edited = fs::read_to_string(&path)
        .unwrap()
        .replace("\"weight\": 100", "\"weight\": 7");
    fs::write(path.with_extension("new"), edited).unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();

    let after = until(&mut watch, |snapshot| snapshot != &before).await;
    let changes = after.changes_since(&before);
    assert!(
        matches!(&changes[..], [Change::Updated(instance)] if instance.weight() == 7),
        "{changes:?}"
    );
}

#[tokio::test]
async fn what_is_not_an_entry_does_not_disturb() {
    let folder = tempfile::tempdir().unwrap();
    let service = folder.path().join("default/hr.employee/1");
    fs::create_dir_all(&service).unwrap();
    fs::write(service.join("torn.json"), r#"{"schema":1,"inst"#).unwrap();
    fs::write(service.join("README"), "hello").unwrap();
    let registry = quick(folder.path());
    let mut watch = registry.watch(key()).await.unwrap();
    assert!(watch.snapshot().is_empty());
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    until(&mut watch, |snapshot| snapshot.len() == 1).await;
}

#[tokio::test]
async fn a_registry_can_be_watched_again_and_after_its_handle_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    drop(registry.watch(key()).await.unwrap());
    let mut watch = registry.watch(key()).await.unwrap();
    let _held = registry.register(instance("tcp://a:1")).await.unwrap();
    drop(registry);
    until(&mut watch, |snapshot| snapshot.len() == 1).await;
}

#[test]
fn a_watch_is_closed_with_its_runtime_and_the_next_one_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let mut closed = first.block_on(registry.watch(key())).unwrap();
    drop(first);
    runtime().block_on(async {
        assert_eq!(
            timeout(LIMIT, closed.changed()).await.unwrap(),
            Err(WatchClosed)
        );
        let mut watch = registry.watch(key()).await.unwrap();
        let _held = registry.register(instance("tcp://a:1")).await.unwrap();
        until(&mut watch, |snapshot| snapshot.len() == 1).await;
    });
}

#[tokio::test]
async fn the_date_and_the_ids_are_those_of_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let env = Env::seeded(1);
    let registry = File::builder(folder.path()).env(env.clone()).build();
    let instance = Instance::new_in(&env, key(), "tcp://a:1");
    let repeated = Instance::new_in(&Env::seeded(1), key(), "tcp://a:1");
    assert_eq!(instance, repeated);
    let registration = registry.register(instance).await.unwrap();
    let path = path_of(folder.path(), registration.instance());
    let written = fs::metadata(path).unwrap().modified().unwrap();
    // The environment began in 2026, whatever the year is.
    let since = env.date().duration_since(written).unwrap();
    assert!(since < Duration::from_secs(60), "{since:?}");
    assert_eq!(registry.watch(key()).await.unwrap().snapshot().len(), 1);
}
