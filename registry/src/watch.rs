use std::future;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::watch;

use crate::Snapshot;

/// Follows the instances of one service: the latest snapshot at any time, and word of changes.
///
/// Clones are watches of their own over the same source. Changes in quick succession may arrive as
/// one.
///
/// ```
/// use doge_registry::{Instance, Publisher, ServiceKey, Snapshot};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let publisher = Publisher::new(Snapshot::default());
/// let mut watch = publisher.watch();
/// let known = watch.snapshot();
/// publisher.publish(Snapshot::from_iter([
///     Instance::new(ServiceKey::new("hr.employee"), "tcp://127.0.0.1:4399"),
/// ]));
/// let latest = watch.changed().await?;
/// assert_eq!(latest.changes_since(&known).len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Watch {
    source: Source,
}

impl Watch {
    /// A watch of what never changes: [`changed`](Self::changed) waits for ever.
    #[must_use]
    pub fn fixed(snapshot: Snapshot) -> Self {
        Self {
            source: Source::Fixed(snapshot),
        }
    }

    /// The instances as last known; still there when the watch is closed.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        match &self.source {
            Source::Fixed(snapshot) => snapshot.clone(),
            Source::Published { snapshots, .. } => snapshots.borrow().clone(),
        }
    }

    /// Waits until there is a snapshot newer than the one this watch started with or last returned
    /// from here, and returns the latest. It may be one that [`snapshot`](Self::snapshot) has shown.
    ///
    /// Cancel safe: a dropped future loses no change.
    ///
    /// # Errors
    ///
    /// [`WatchClosed`] when there will be no more changes.
    pub async fn changed(&mut self) -> Result<Snapshot, WatchClosed> {
        match &mut self.source {
            Source::Fixed(_) => future::pending().await,
            Source::Published { snapshots, .. } => {
                snapshots.changed().await.map_err(|_| WatchClosed)?;
                Ok(snapshots.borrow_and_update().clone())
            }
        }
    }

    /// Hints that the list may be out of date: connections to instances fail, for example.
    ///
    /// A registry that is told of changes ignores the hint. A registry that looks from time to time, such as `Dns`, looks
    /// sooner, but never more often than its shortest time between two looks, so that hints may be given freely.
    ///
    /// ```
    /// use doge_registry::{Publisher, Snapshot};
    ///
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let publisher = Publisher::new(Snapshot::default());
    /// let mut hints = publisher.hints();
    /// publisher.watch().refresh();
    /// hints.next().await;
    /// # });
    /// ```
    pub fn refresh(&self) {
        if let Source::Published { hints, .. } = &self.source {
            hints.send_replace(());
        }
    }

    pub(crate) fn following(
        snapshots: watch::Receiver<Snapshot>,
        hints: Arc<watch::Sender<()>>,
    ) -> Self {
        Self {
            source: Source::Published { snapshots, hints },
        }
    }
}

#[derive(Clone, Debug)]
enum Source {
    Fixed(Snapshot),
    Published {
        snapshots: watch::Receiver<Snapshot>,
        /// Where hints go to.
        hints: Arc<watch::Sender<()>>,
    },
}

/// The registry behind a [`Watch`] is gone, or the runtime that its work ran on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the registry behind this watch is gone and there will be no more changes; \
     the last snapshot stays, and a new watch needs a live registry and runtime"
)]
pub struct WatchClosed;
