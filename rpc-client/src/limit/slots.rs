use std::fmt;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Room for calls in flight.
#[derive(Debug)]
pub(super) struct Slots {
    room: Semaphore,
    most: usize,
}

impl Slots {
    pub(super) fn new(most: usize) -> Self {
        Self {
            room: Semaphore::new(most.min(Semaphore::MAX_PERMITS)),
            most,
        }
    }

    /// A slot, if there is one now.
    pub(super) fn take(&self) -> Option<SemaphorePermit<'_>> {
        self.room.try_acquire().ok()
    }

    /// Takes a slot back whose permit was forgotten.
    pub(super) fn give_back(&self) {
        self.room.add_permits(1);
    }

    /// A slot when there is one. Cancel safe.
    pub(super) async fn wait(&self) -> SemaphorePermit<'_> {
        let slot = self.room.acquire().await;
        slot.expect("the semaphore is never closed")
    }
}

impl fmt::Display for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in flight", self.most)
    }
}
