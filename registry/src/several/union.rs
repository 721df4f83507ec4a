use std::sync::{Mutex, PoisonError};

use crate::{Hints, Publisher, Snapshot, Watch};

/// What the members have, each in its place, and all of it as one snapshot.
#[derive(Debug)]
pub(super) struct Union {
    parts: Mutex<Vec<Snapshot>>,
    publisher: Publisher,
}

impl Union {
    /// A union of so many members, none of which has anything yet.
    pub(super) fn new(members: usize) -> Self {
        Self {
            parts: Mutex::new(vec![Snapshot::default(); members]),
            publisher: Publisher::new(Snapshot::default()),
        }
    }

    /// A new watch of the whole.
    pub(super) fn watch(&self) -> Watch {
        self.publisher.watch()
    }

    /// Waits until nobody watches. Cancel safe.
    pub(super) async fn unwatched(&self) {
        self.publisher.unwatched().await;
    }

    /// The hints of those who watch the whole.
    pub(super) fn hints(&self) -> Hints {
        self.publisher.hints()
    }

    /// Sets what one member has; of instances with the same id that of the first member counts.
    pub(super) fn set(&self, member: usize, part: Snapshot) {
        // A poisoned lock is taken over: each change to the parts is a single step.
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts[member] = part;
        // A snapshot keeps the last one of an id. Published under the lock, so that none is overtaken.
        let whole = parts.iter().rev().flatten().cloned().collect();
        self.publisher.publish(whole);
    }
}
