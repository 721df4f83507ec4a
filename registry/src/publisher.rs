use std::future;
use std::sync::Arc;

use tokio::sync::watch;

use crate::{Snapshot, Watch};

/// The source of any number of [`Watch`]es: what a registry, or the fake of one in a test, feeds.
///
/// Dropping it closes its watches. There is an example at [`Watch`].
#[derive(Debug)]
pub struct Publisher {
    snapshots: watch::Sender<Snapshot>,
    hints: Arc<watch::Sender<()>>,
}

impl Publisher {
    /// A source that starts with `first`.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self {
            snapshots: watch::Sender::new(first),
            hints: Arc::new(watch::Sender::new(())),
        }
    }

    /// A new watch, which has the latest snapshot.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::following(self.snapshots.subscribe(), Arc::clone(&self.hints))
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

    /// The [hints](Watch::refresh) of the watches from now on. A registry that is told of changes need not listen.
    #[must_use]
    pub fn hints(&self) -> Hints {
        Hints {
            given: self.hints.subscribe(),
        }
    }

    /// Waits until nobody watches; at once if that is so already. Cancel safe.
    pub async fn unwatched(&self) {
        self.snapshots.closed().await;
    }
}

/// The hints of [watches](Watch::refresh) that their list may be out of date; from [`Publisher::hints`].
///
/// ```
/// use std::time::Duration;
///
/// use doge_registry::{Publisher, Snapshot};
/// use tokio::time::timeout;
///
/// /// Looks at what instances there are once a minute, and earlier after a hint, but not twice within a second.
/// async fn follow(publisher: &Publisher, look: impl Fn() -> Snapshot) {
///     let mut hints = publisher.hints();
///     while publisher.is_watched() {
///         publisher.publish(look());
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         let _ = timeout(Duration::from_secs(59), hints.next()).await;
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Hints {
    given: watch::Receiver<()>,
}

impl Hints {
    /// Waits until a watch has given a hint since this last returned; several hints count as one. Cancel safe: a dropped
    /// future loses no hint. Never returns once the publisher and its watches are gone.
    pub async fn next(&mut self) {
        if self.given.changed().await.is_err() {
            future::pending::<()>().await;
        }
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
    fn a_hint_reaches_all_who_listen_and_several_count_as_one() {
        let publisher = Publisher::new(Snapshot::default());
        let (mut one, mut other) = (publisher.hints(), publisher.hints());
        assert!(one.next().now_or_never().is_none());
        let watch = publisher.watch();
        watch.refresh();
        watch.clone().refresh();
        for hints in [&mut one, &mut other] {
            assert!(hints.next().now_or_never().is_some());
            assert!(hints.next().now_or_never().is_none());
        }
        Watch::fixed(Snapshot::default()).refresh();
        drop((publisher, watch));
        assert!(one.next().now_or_never().is_none());
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
