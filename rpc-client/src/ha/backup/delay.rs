use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::ha::HedgeDelay;

/// When a second attempt begins: after a fixed time, or one learned from the calls of the last seconds.
#[derive(Debug)]
pub(super) struct Delay {
    micros: AtomicU64,
    learned: Option<Learned>,
}

#[derive(Debug)]
struct Learned {
    percentile: f64,
    windows: Mutex<Windows>,
}

/// A percentile is that of the window that just ended and the one before, so that it moves without jumping.
#[derive(Debug)]
struct Windows {
    current: Histogram<u32>,
    before: Histogram<u32>,
    began: Instant,
}

/// As Finagle has it: hedging sooner gains nothing, and a window lasts so long.
const SHORTEST: Duration = Duration::from_millis(1);
const WINDOW: Duration = Duration::from_secs(3);
/// Past the deadline of any call that somebody waits for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// A window lasts on until it has as many: fewer say little about a high percentile.
const MIN_SAMPLES: u64 = 50;

impl Delay {
    /// The fixed one, or `initial` until a percentile is known.
    pub(super) fn new(config: HedgeDelay, initial: Duration, now: Instant) -> Self {
        let (delay, learned) = match config {
            HedgeDelay::After(delay) => (delay, None),
            HedgeDelay::Percentile(percentile) => {
                let learned = Learned {
                    percentile,
                    windows: Mutex::new(Windows::new(now)),
                };
                (initial, Some(learned))
            }
        };
        Self {
            micros: AtomicU64::new(micros(delay)),
            learned,
        }
    }

    /// As it stands.
    pub(super) fn get(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::Relaxed))
    }

    /// Learns from a call that took so long. A call does not wait for another one to have learned: its sample is left
    /// out then, which any call may meet alike.
    pub(super) fn record(&self, latency: Duration, now: Instant) {
        let Some(learned) = &self.learned else {
            return;
        };
        let Some(mut windows) = learned.windows.try_lock() else {
            return;
        };
        if let Some(delay) = windows.record(latency, now, learned.percentile) {
            self.micros.store(micros(delay), Ordering::Relaxed);
        }
    }
}

fn micros(delay: Duration) -> u64 {
    delay.clamp(SHORTEST, LONGEST).as_micros() as u64
}

impl Windows {
    fn new(now: Instant) -> Self {
        let empty = || {
            // From 1 µs to a minute, which longer ones count as, to the hundredth part.
            Histogram::new_with_bounds(1, 60_000_000, 2).expect("the bounds are fixed and in order")
        };
        Self {
            current: empty(),
            before: empty(),
            began: now,
        }
    }

    /// The percentile anew, if the window ends with this call.
    fn record(&mut self, latency: Duration, now: Instant, percentile: f64) -> Option<Duration> {
        let latency = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.current.saturating_record(latency.max(1));
        if now < self.began + WINDOW || self.current.len() < MIN_SAMPLES {
            return None;
        }
        self.before
            .add(&self.current)
            .expect("both histograms have the same bounds");
        let delay = self.before.value_at_percentile(percentile);
        std::mem::swap(&mut self.before, &mut self.current);
        self.current.reset();
        self.began = now;
        Some(Duration::from_micros(delay))
    }
}
