use tokio::sync::watch;

use crate::{Snapshot, Watch};

/// The source of any number of [`Watch`]es: what a registry, or the fake of one in a test, feeds.
///
/// Dropping it closes its watches. There is an example at [`Watch`].
#[derive(Debug)]
pub struct Publisher {
    snapshots: watch::Sender<Snapshot>,
}

impl Publisher {
    /// A source that starts with `first`.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self {
            snapshots: watch::Sender::new(first),
        }
    }

    /// A new watch, which has the latest snapshot.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::following(self.snapshots.subscribe())
    }

    /// Makes `snapshot` the latest; watches are woken only if it differs from the one before.
    pub fn publish(&self, snapshot: Snapshot) {
        self.snapshots.send_if_modified(|latest| {
            let differs = *latest != snapshot;
            if differs {
                *latest = snapshot;
            }
            differs
        });
    }

    /// The latest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshots.borrow().clone()
    }

    /// Whether anyone watches.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.snapshots.receiver_count() > 0
    }

    /// Waits until nobody watches; at once if that is so already. Cancel safe.
    pub async fn unwatched(&self) {
        self.snapshots.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{Instance, ServiceKey};

    #[test]
    fn only_a_different_snapshot_wakes_the_watches() {
        let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://a:1");
        let publisher = Publisher::new(Snapshot::from_iter([instance.clone()]));
        let mut watch = publisher.watch();
        publisher.publish(Snapshot::from_iter([instance]));
        assert!(watch.changed().now_or_never().is_none());
        publisher.publish(Snapshot::default());
        assert!(watch.changed().now_or_never().is_some());
    }

    #[test]
    fn it_knows_whether_anyone_watches() {
        let publisher = Publisher::new(Snapshot::default());
        assert!(publisher.unwatched().now_or_never().is_some());
        let watch = publisher.watch();
        let clone = watch.clone();
        drop(watch);
        assert!(publisher.is_watched());
        assert!(publisher.unwatched().now_or_never().is_none());
        drop(clone);
        assert!(publisher.unwatched().now_or_never().is_some());
    }
}
