use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::{
    sync::{AcquireError, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// How long the pool does with fewer connections after the server refused one. Then it tries again.
const SHRUNK: Duration = Duration::from_secs(10);

/// The right to have a connection, in use or being made; there are fewer for a while after the server refused one.
#[derive(Debug)]
pub(super) struct Places {
    semaphore: Arc<Semaphore>,
    shrunk: Mutex<Shrunk>,
}

#[derive(Debug)]
struct Shrunk {
    /// All places, free and taken.
    size: usize,
    /// When the places were given up that are missing, the first one first.
    missing: Vec<Instant>,
}

impl Places {
    /// `size` places; one if `size` is 0.
    pub(super) fn new(size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            semaphore: Arc::new(Semaphore::new(size)),
            shrunk: Mutex::new(Shrunk {
                size,
                missing: Vec::new(),
            }),
        }
    }

    /// A place, if one is free.
    pub(super) fn try_take(&self) -> Option<OwnedSemaphorePermit> {
        let place = || Arc::clone(&self.semaphore).try_acquire_owned().ok();
        place().or_else(|| {
            self.grow(Instant::now());
            place()
        })
    }

    /// The next place that is free, in the order in which callers came.
    ///
    /// # Errors
    ///
    /// When they are closed.
    pub(super) async fn take(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.semaphore).acquire_owned().await
    }

    /// Gives this place up for a while, unless it is the last one.
    pub(super) fn give_up(&self, place: OwnedSemaphorePermit, now: Instant) -> bool {
        let mut shrunk = self.shrunk.lock();
        if shrunk.size == 1 {
            return false;
        }
        shrunk.size -= 1;
        shrunk.missing.push(now);
        place.forget();
        true
    }

    /// How many there are, free and taken.
    pub(super) fn size(&self) -> usize {
        self.shrunk.lock().size
    }

    /// Ends all waiting.
    pub(super) fn close(&self) {
        self.semaphore.close();
    }

    /// Brings back places that were given up long enough ago.
    fn grow(&self, now: Instant) {
        let mut shrunk = self.shrunk.lock();
        let due = shrunk.missing.partition_point(|at| *at + SHRUNK <= now);
        shrunk.missing.drain(..due);
        shrunk.size += due;
        self.semaphore.add_permits(due);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::{Places, SHRUNK};

    #[tokio::test(start_paused = true)]
    async fn places_that_were_given_up_come_back_and_the_last_one_stays() {
        let places = Places::new(3);
        let taken: Vec<_> = (0..3).map(|_| places.try_take().unwrap()).collect();
        let mut given_up = taken.into_iter();
        for left in [2, 1] {
            assert!(places.give_up(given_up.next().unwrap(), Instant::now()));
            assert_eq!(places.size(), left);
        }
        let last = given_up.next().unwrap();
        assert!(places.try_take().is_none());
        advance(SHRUNK).await;
        let back: Vec<_> = (0..2).map(|_| places.try_take().unwrap()).collect();
        assert!(places.try_take().is_none());
        drop((last, back));
        assert_eq!(places.size(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_place_is_not_given_up() {
        let places = Places::new(0);
        let last = places.try_take().unwrap();
        assert!(!places.give_up(last, Instant::now()));
        assert!(places.try_take().is_some());
    }
}
