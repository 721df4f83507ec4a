use std::time::Duration;

use doge_registry::{
    EtcdV2, EtcdV2Builder, HoldBack, Instance, Registry, ServiceKey, Snapshot, Watch,
};
use doge_test_support as support;
use tokio::time::timeout;

/// Far more than anything here takes, so that only what never happens runs into it.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) const TTL: Duration = Duration::from_secs(2);

/// The directory of [`key`].
pub(crate) const PLACE: &str = "/doge/rpc/hr.employee";

/// An etcd as doge needs it.
pub(crate) fn etcd() -> support::Etcd {
    support::Etcd::options().v2().start()
}

/// The key that the tests use when any will do.
pub(crate) fn key() -> ServiceKey {
    ServiceKey::new("hr.employee")
}

/// A new instance of [`key`].
pub(crate) fn instance(address: &str) -> Instance {
    Instance::new(key(), address)
}

/// Where the key of an instance of [`key`] is.
pub(crate) fn place_of(instance: &Instance) -> String {
    format!("{PLACE}/{}", instance.id())
}

/// A registry that is as quick as it can be told to.
pub(crate) fn builder(etcd: &support::Etcd) -> EtcdV2Builder {
    at(etcd.endpoints())
}

/// The same with other endpoints.
pub(crate) fn at(endpoints: Vec<String>) -> EtcdV2Builder {
    EtcdV2::builder(endpoints)
        .ttl(TTL)
        .request_timeout(Duration::from_secs(2))
        .silence_limit(Duration::from_secs(1))
        .hold_back(HoldBack {
            confirm_after: Duration::from_millis(500),
            ..HoldBack::default()
        })
}

/// What [`builder`] makes.
pub(crate) fn registry(etcd: &support::Etcd) -> EtcdV2 {
    builder(etcd).build().unwrap()
}

/// A watch of [`key`].
pub(crate) async fn watch(registry: &dyn Registry) -> Watch {
    registry.watch(key()).await.unwrap()
}

/// The addresses of a snapshot, in their order.
pub(crate) fn addresses(snapshot: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = snapshot
        .iter()
        .map(|instance| instance.address().to_owned())
        .collect();
    found.sort_unstable();
    found
}

/// Waits until the watched snapshot has these addresses.
#[track_caller]
pub(crate) fn until_at<'a>(
    watch: &'a mut Watch,
    wanted: &'a [&str],
) -> impl Future<Output = Snapshot> + 'a {
    let caller = std::panic::Location::caller();
    async move {
        let waiting = async {
            let mut snapshot = watch.snapshot();
            while addresses(&snapshot) != wanted {
                snapshot = watch.changed().await.expect("the watch was closed");
            }
            snapshot
        };
        match timeout(LIMIT, waiting).await {
            Ok(snapshot) => snapshot,
            Err(_) => panic!(
                "at {caller}: {:?}, not {wanted:?}",
                addresses(&watch.snapshot())
            ),
        }
    }
}

/// Waits until etcd has so many keys in [`PLACE`].
#[track_caller]
pub(crate) fn until_keys(etcd: &support::Etcd, count: usize) {
    support::eventually(LIMIT, &format!("{count} keys"), || {
        etcd.v2().list(PLACE).len() == count
    });
}

/// Waits until etcd has seen so many changes more, refreshed keys counted in.
#[track_caller]
pub(crate) fn until_changes(etcd: &support::Etcd, count: u64) {
    let before = etcd.v2().index();
    support::eventually(LIMIT, &format!("{count} changes"), || {
        etcd.v2().index() >= before + count
    });
}
