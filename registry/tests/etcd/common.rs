use std::time::Duration;

use doge_registry::{Etcd, EtcdBuilder, HoldBack, Instance, Registry, ServiceKey, Snapshot, Watch};
use doge_test_support as support;
use tokio::time::timeout;

/// Far more than anything here takes, so that only what never happens runs into it.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// The shortest lease of etcd; with one member it grants no shorter one either.
pub(crate) const TTL: Duration = Duration::from_secs(2);

/// What the keys of instances of [`key`] begin with.
pub(crate) const PLACE: &str = "/doge/rpc/default/hr.employee/1/";

/// The key that the tests use when any will do.
pub(crate) fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

/// A new instance of [`key`].
pub(crate) fn instance(address: &str) -> Instance {
    Instance::new(key(), address)
}

/// A registry that is as quick as it can be told to.
pub(crate) fn builder(etcd: &support::Etcd) -> EtcdBuilder {
    Etcd::builder(etcd.endpoints())
        .ttl(TTL)
        .request_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(2))
        .silence_limit(Duration::from_secs(1))
        .hold_back(confirmed_after(Duration::from_millis(500)))
}

/// What [`builder`] makes.
pub(crate) fn registry(etcd: &support::Etcd) -> Etcd {
    builder(etcd).build().unwrap()
}

pub(crate) fn confirmed_after(time: Duration) -> HoldBack {
    HoldBack {
        confirm_after: time,
        ..HoldBack::default()
    }
}

/// A watch of [`key`].
pub(crate) async fn watch(registry: &impl Registry) -> Watch {
    registry.watch(key()).await.unwrap()
}

/// Waits until the watched snapshot is as `wanted`.
#[track_caller]
pub(crate) fn until(
    watch: &mut Watch,
    wanted: impl Fn(&Snapshot) -> bool,
) -> impl Future<Output = Snapshot> {
    let caller = std::panic::Location::caller();
    async move {
        let waiting = async {
            let mut snapshot = watch.snapshot();
            while !wanted(&snapshot) {
                snapshot = watch.changed().await.expect("the watch was closed");
            }
            snapshot
        };
        match timeout(LIMIT, waiting).await {
            Ok(snapshot) => snapshot,
            Err(_) => panic!("at {caller}, the snapshot never was as wanted"),
        }
    }
}

/// Waits until the watched snapshot has these addresses.
#[track_caller]
pub(crate) fn until_at<'a>(
    watch: &'a mut Watch,
    addresses: &'a [&str],
) -> impl Future<Output = Snapshot> + 'a {
    until(watch, move |snapshot| {
        let mut found: Vec<&str> = snapshot.iter().map(|instance| instance.address()).collect();
        found.sort_unstable();
        found == addresses
    })
}

/// Waits until etcd has so many keys below [`PLACE`].
#[track_caller]
pub(crate) fn until_keys(etcd: &support::Etcd, count: usize) {
    support::eventually(LIMIT, &format!("{count} keys"), || {
        etcd.keys(PLACE).len() == count
    });
}
