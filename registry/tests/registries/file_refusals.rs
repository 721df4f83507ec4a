use std::fs;

use doge_registry::{Instance, Registry, RegistryError, ServiceKey};
use futures_util::FutureExt;

use crate::common::{instance, key, path_of, quick};

#[tokio::test]
async fn names_that_lead_out_of_the_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("registry");
    let registry = quick(&root);
    let outside = ServiceKey::new("../x");
    let error = registry.watch(outside.clone()).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::InvalidName { .. }),
        "{error}"
    );
    let error = registry
        .register(Instance::new(outside, "tcp://a:1"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::InvalidName { .. }),
        "{error}"
    );
    let json = r#"{"id":"../x","key":{"group":"g","service":"s","version":"1"},"address":"a"}"#;
    let forged: Instance = serde_json::from_str(json).unwrap();
    let error = registry.register(forged).await.unwrap_err();
    assert!(
        matches!(
            error,
            RegistryError::InvalidName {
                part: "instance id",
                ..
            }
        ),
        "{error}"
    );
    assert!(!root.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told_with_path_cause_and_mend() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("occupied");
    fs::write(&occupied, "a file").unwrap();
    let registry = quick(&occupied);
    let refused = [
        registry.register(instance("tcp://a:1")).await.unwrap_err(),
        registry.watch(key()).await.unwrap_err(),
    ];
    for error in refused {
        let text = error.to_string();
        assert!(matches!(error, RegistryError::Io { .. }), "{text}");
        assert!(text.contains(&occupied.display().to_string()), "{text}");
        assert!(text.contains("Not a directory"), "{text}");
        assert!(text.contains("choose a registry folder"), "{text}");
    }
}

#[tokio::test]
async fn one_instance_is_registered_once_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let one = instance("tcp://a:1");
    let held = registry.register(one.clone()).await.unwrap();
    let error = registry.register(one.clone()).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::AlreadyRegistered { .. }),
        "{error}"
    );
    assert!(
        path_of(folder.path(), &one).exists(),
        "the refused one took the first one along"
    );
    held.leave().await.unwrap();
    registry.register(one).await.unwrap().leave().await.unwrap();
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let registry = quick(folder.path());
    let registering = registry.register(instance("tcp://a:1"));
    let error = registering.now_or_never().unwrap().unwrap_err();
    assert!(matches!(error, RegistryError::NoRuntime), "{error}");
}
