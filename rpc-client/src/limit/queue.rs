use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

/// Callers that wait their turn, in the order of arrival. Only the first of them looks for room.
#[derive(Debug)]
pub(super) struct Queue {
    /// The most callers that wait.
    callers: usize,
    /// The longest that one waits.
    time: Duration,
    waiting: AtomicUsize,
    /// Held by the first. Fair.
    first: Mutex<()>,
}

/// A caller's place; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    waiting: &'a AtomicUsize,
    /// How many were there before.
    ahead: usize,
}

impl Queue {
    pub(super) fn new(callers: usize, time: Duration) -> Self {
        Self {
            callers,
            time,
            waiting: AtomicUsize::new(0),
            first: Mutex::new(()),
        }
    }

    pub(super) fn callers(&self) -> usize {
        self.callers
    }

    pub(super) fn time(&self) -> Duration {
        self.time
    }

    /// Whether somebody waits.
    pub(super) fn is_used(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// A place at the end, unless there are too many already.
    pub(super) fn join(&self) -> Option<Place<'_>> {
        let joined = self
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |waiting| {
                (waiting < self.callers).then(|| waiting + 1)
            });
        let ahead = joined.ok()?;
        Some(Place {
            waiting: &self.waiting,
            ahead,
        })
    }

    /// Waits until all who came before have been let through or have gone. Cancel safe.
    pub(super) async fn first(&self) -> MutexGuard<'_, ()> {
        self.first.lock().await
    }
}

impl Place<'_> {
    pub(super) fn ahead(&self) -> usize {
        self.ahead
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
