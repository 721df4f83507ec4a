use tokio::time::Instant;

use crate::protocol::Violation;

/// A token bucket for frames that cost their sender nothing.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: f64,
    burst: f64,
    filled: Instant,
}

impl Bucket {
    /// Full, and refilled at a tenth of `burst` per second.
    pub(super) fn new(burst: u32, now: Instant) -> Self {
        Self {
            tokens: f64::from(burst),
            burst: f64::from(burst),
            filled: now,
        }
    }

    /// Takes a token, if there is one.
    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.burst / 10.0;
        self.tokens = (self.tokens + gained).min(self.burst);
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// Takes a token for a frame of this sort.
    ///
    /// # Errors
    ///
    /// The [`Violation`] of sending too many, when there is none left.
    pub(super) fn spend(&mut self, now: Instant, frames: &'static str) -> Result<(), Violation> {
        if self.take(now) {
            Ok(())
        } else {
            Err(Violation::Flood(frames))
        }
    }

    /// Adds a token for something that earns one.
    pub(super) fn earn(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.burst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Bucket;

    #[test]
    fn a_burst_passes_and_the_rest_waits_for_time() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, start);
        assert_eq!((0..20).filter(|_| bucket.take(start)).count(), 10);
        assert!(!bucket.take(start + Duration::from_millis(900)));
        assert!(bucket.take(start + Duration::from_millis(1100)));
        bucket.earn();
        assert!(bucket.take(start + Duration::from_millis(1100)));
    }
}
