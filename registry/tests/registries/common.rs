use std::path::{Path, PathBuf};
use std::time::Duration;

use doge_registry::{File, Instance, ServiceKey, Snapshot, Watch};
use tokio::time::timeout;

/// Far more than anything here takes, so that only what never happens runs into it.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The key that the tests use when any will do.
pub(crate) fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

/// A new instance of [`key`].
pub(crate) fn instance(address: &str) -> Instance {
    Instance::new(key(), address)
}

/// A registry that notices a change within a few milliseconds.
pub(crate) fn quick(folder: &Path) -> File {
    File::builder(folder)
        .ttl(Duration::from_secs(3))
        .scan_interval(Duration::from_millis(10))
        .build()
}

/// Where the entry of an instance of [`key`] is.
pub(crate) fn path_of(folder: &Path, instance: &Instance) -> PathBuf {
    let name = format!("{}.json", instance.id());
    folder.join("default/hr.employee/1").join(name)
}

/// Waits until the watched snapshot is as `wanted`.
pub(crate) async fn until(watch: &mut Watch, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    let waiting = async {
        let mut snapshot = watch.snapshot();
        while !wanted(&snapshot) {
            snapshot = watch.changed().await.expect("the watch was closed");
        }
        snapshot
    };
    timeout(LIMIT, waiting)
        .await
        .expect("the snapshot never was as wanted")
}
