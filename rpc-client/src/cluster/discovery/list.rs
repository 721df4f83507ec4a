use doge_registry::Snapshot;
use tokio::time::Instant;

use crate::cluster::InstanceList;

/// The list of instances that a cluster has: where from, and since when.
#[derive(Debug)]
pub(in crate::cluster) struct ListState {
    list: InstanceList,
    changed: Instant,
}

impl ListState {
    pub(in crate::cluster) fn new() -> Self {
        Self {
            list: InstanceList::default(),
            changed: Instant::now(),
        }
    }

    /// There is another list.
    pub(super) fn change(&mut self, snapshot: &Snapshot, tag_fallback: bool) {
        self.list.tag_fallback = tag_fallback;
        self.list.instances = snapshot.len();
        self.list.restored = snapshot.is_restored();
        self.changed = Instant::now();
    }

    /// How many instances there are, whether or not they are called.
    pub(in crate::cluster) fn instances(&self) -> usize {
        self.list.instances
    }

    /// There will be no other list.
    pub(super) fn freeze(&mut self) {
        self.list.frozen = true;
    }

    pub(in crate::cluster) fn read(&self, now: Instant) -> InstanceList {
        InstanceList {
            unchanged_for: now.saturating_duration_since(self.changed),
            ..self.list
        }
    }
}
