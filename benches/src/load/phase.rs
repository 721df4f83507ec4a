use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

/// How far a load is. Calls ask for it all the time, so that it costs no more than a load from memory.
#[derive(Debug, Default)]
pub(super) struct Phase {
    now: AtomicU8,
    warm: AtomicUsize,
    begun: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    over: Notify,
}

const WARM_UP: u8 = 0;
const WINDOW: u8 = 1;
const OVER: u8 = 2;

impl Phase {
    pub(super) fn begin(&self) {
        self.begun.get_or_init(Instant::now);
        self.now.store(WINDOW, Ordering::Release);
    }

    pub(super) fn end(&self) {
        self.ended.get_or_init(Instant::now);
        self.now.store(OVER, Ordering::Release);
        self.over.notify_one();
    }

    /// Whether a call counts that is answered now.
    pub(super) fn counts(&self) -> bool {
        self.now.load(Ordering::Relaxed) == WINDOW
    }

    /// Whether a call counts that had to start then, no matter when it did; `None` when there are to be no more.
    pub(super) fn counts_from(&self, start: Instant) -> Option<bool> {
        if self.now.load(Ordering::Acquire) == WARM_UP {
            return Some(false);
        }
        if self.ended.get().is_some_and(|ended| start >= *ended) {
            return None;
        }
        Some(self.begun.get().is_some_and(|begun| start >= *begun))
    }

    /// Until the load is over; for one who waits.
    pub(super) async fn over(&self) {
        self.over.notified().await;
    }

    /// A caller has had its first answer.
    pub(super) fn caller_is_warm(&self) {
        self.warm.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn warm_callers(&self) -> usize {
        self.warm.load(Ordering::Relaxed)
    }
}
