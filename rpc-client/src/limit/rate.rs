use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    RateLimiter,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::time::Instant;

use super::{
    clock::{Moment, TokioClock},
    config::ValidRate,
};

/// A token bucket.
#[derive(Debug)]
pub(super) struct Rate {
    bucket: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Moment>>,
    /// From one token to the next.
    period: Duration,
    burst: u32,
    /// In words.
    calls: u32,
    per: Duration,
    start: Instant,
    /// When the next token comes, as it was when somebody last found none; in nanoseconds after `start`.
    next: AtomicU64,
}

impl Rate {
    /// Full.
    pub(super) fn new(rate: &ValidRate) -> Self {
        Self {
            bucket: RateLimiter::direct_with_clock(rate.quota, TokioClock),
            period: rate.quota.replenish_interval(),
            burst: rate.quota.burst_size().get(),
            calls: rate.calls,
            per: rate.per,
            start: Instant::now(),
            next: AtomicU64::new(0),
        }
    }

    /// Takes a token, or tells when there is one if nobody else takes it.
    pub(super) fn take(&self) -> Result<(), Instant> {
        self.bucket.check().map_err(|not_until| {
            let Moment(next) = not_until.earliest_possible();
            let since_start = next.saturating_duration_since(self.start).as_nanos();
            let since_start = u64::try_from(since_start).unwrap_or(u64::MAX);
            self.next.store(since_start, Ordering::Relaxed);
            next
        })
    }

    /// When there is a token for a caller with so many ahead, if that is known: while there are tokens left, it is not.
    pub(super) fn token_after(&self, ahead: usize) -> Option<Instant> {
        let next = Duration::from_nanos(self.next.load(Ordering::Relaxed));
        let next = self.start + next;
        if next <= Instant::now() {
            return None;
        }
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        next.checked_add(self.period.saturating_mul(ahead))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls, per, burst, ..
        } = self;
        write!(f, "{calls} per {per:?}")?;
        if burst != calls {
            write!(f, " with a burst of {burst}")?;
        }
        Ok(())
    }
}
