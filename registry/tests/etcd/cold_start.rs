//! A process starts while etcd is away.

use std::path::Path;

use doge_registry::{Registry, RegistryError};
use doge_test_support::Etcd;

use crate::common::{builder, instance, key, registry, until, until_at, watch};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_known_serves_until_etcd_is_back() {
    let mut etcd = Etcd::start();
    let folder = tempfile::tempdir().unwrap();
    let keeping = |folder: &Path| builder(&etcd).snapshots(folder).build().unwrap();
    let (first_life, second_life) = (keeping(folder.path()), keeping(folder.path()));
    let other_folder = keeping(&folder.path().join("other"));
    let provider = registry(&etcd);
    let _held = provider.register(instance("tcp://a:1")).await.unwrap();
    let mut first = watch(&first_life).await;
    let gone = provider.register(instance("tcp://b:1")).await.unwrap();
    until_at(&mut first, &["tcp://a:1", "tcp://b:1"]).await;
    drop((first, first_life));
    wait_until_kept(folder.path(), 2);
    gone.leave().await.unwrap();
    etcd.kill(0);

    let mut second = watch(&second_life).await;
    let snapshot = second.snapshot();
    assert!(snapshot.is_restored());
    assert_eq!(snapshot.len(), 2);
    let error = other_folder.watch(key()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Remote { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("read the instances of the service"),
        "{error}"
    );

    etcd.restart(0);
    let snapshot = until(&mut second, |snapshot| {
        !snapshot.is_restored() && snapshot.len() == 1
    })
    .await;
    assert_eq!(snapshot.iter().next().unwrap().address(), "tcp://a:1");
}

fn wait_until_kept(folder: &Path, count: usize) {
    let path = folder.join("default/hr.employee/1.json");
    doge_test_support::eventually(crate::common::LIMIT, "the snapshot on disk", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.matches("\"id\"").count() == count)
    });
}
