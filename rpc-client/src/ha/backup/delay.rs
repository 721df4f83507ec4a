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

    /// Learns from a call that began then and ended now. A call does not wait for another one to have learned: its sample is left
    /// out then, which any call may meet alike.
    pub(super) fn record(&self, begun: Instant, now: Instant) {
        let Some(learned) = &self.learned else {
            return;
        };
        let Some(mut windows) = learned.windows.try_lock() else {
            return;
        };
        if let Some(delay) = windows.record(now - begun, now, learned.percentile) {
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
        self.current.saturating_record(latency);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Delay, MIN_SAMPLES, WINDOW};
    use crate::ha::HedgeDelay;

    const INITIAL: Duration = Duration::from_millis(100);

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// A call that took so long.
    fn call(delay: &Delay, latency: Duration, begun: Instant) {
        delay.record(begun, begun + latency);
    }

    /// Calls a millisecond apart, which take as `latency` says, from `start` on.
    fn feed(
        delay: &Delay,
        start: Instant,
        calls: u64,
        mut latency: impl FnMut() -> Duration,
    ) -> Instant {
        (0..calls).for_each(|call| self::call(delay, latency(), start + ms(call)));
        start + ms(calls)
    }

    #[test]
    fn a_percentile_converges_on_that_of_the_calls() {
        fastrand::seed(11);
        // 1 to 100 ms, all alike: a percentile is its number.
        for percentile in [50.0, 90.0, 95.0, 99.0] {
            let start = Instant::now();
            let delay = Delay::new(HedgeDelay::Percentile(percentile), INITIAL, start);
            feed(&delay, start, 10_000, || {
                Duration::from_micros(fastrand::u64(0..100_000))
            });
            let learned = delay.get().as_secs_f64() * 1e3;
            assert!(
                (learned - percentile).abs() < 2.0,
                "P{percentile} is {learned} ms"
            );
        }
    }

    #[test]
    fn it_follows_calls_that_become_slower_or_quicker() {
        let start = Instant::now();
        let delay = Delay::new(HedgeDelay::Percentile(95.0), INITIAL, start);
        let mut now = start;
        for latency in [10, 80, 5] {
            // Two windows and the one under way.
            now = feed(&delay, now, 9_100, || ms(latency));
            let learned = delay.get();
            assert!(
                learned >= ms(latency) && learned < ms(latency) * 102 / 100,
                "{learned:?}"
            );
        }
    }

    #[test]
    fn few_calls_are_not_trusted() {
        let start = Instant::now();
        let delay = Delay::new(HedgeDelay::Percentile(95.0), INITIAL, start);
        // Enough calls, but no time.
        (0..1_000).for_each(|_| call(&delay, ms(10), start));
        assert_eq!(delay.get(), INITIAL);

        // Time, but not enough calls.
        let delay = Delay::new(HedgeDelay::Percentile(95.0), INITIAL, start);
        (1..MIN_SAMPLES).for_each(|_| call(&delay, ms(10), start + WINDOW * 100));
        assert_eq!(delay.get(), INITIAL);
        call(&delay, ms(10), start + WINDOW * 100);
        assert_ne!(delay.get(), INITIAL);
    }

    #[test]
    fn a_delay_has_bounds_and_a_fixed_one_learns_nothing() {
        let start = Instant::now();
        let fixed = Delay::new(HedgeDelay::After(ms(7)), INITIAL, start);
        feed(&fixed, start, 10_000, || ms(50));
        assert_eq!(fixed.get(), ms(7));
        let none = Delay::new(HedgeDelay::After(Duration::ZERO), INITIAL, start);
        assert_eq!(none.get(), ms(1));

        let learned = |percentile, latency| {
            let delay = Delay::new(HedgeDelay::Percentile(percentile), INITIAL, start);
            feed(&delay, start, 4_000, || latency);
            delay.get()
        };
        assert_eq!(learned(95.0, Duration::from_micros(20)), ms(1));
        let long = learned(95.0, Duration::from_secs(86_400));
        assert!(
            long >= Duration::from_secs(60) && long < Duration::from_secs(61),
            "{long:?}"
        );
        // What is no percentile is the nearest one.
        for nonsense in [f64::NAN, 1e9, f64::INFINITY] {
            assert!(learned(nonsense, ms(10)) >= ms(1));
        }
        assert!(learned(-5.0, ms(10)) >= ms(1));
    }
}
