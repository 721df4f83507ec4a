use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How fast the past is forgotten, in milliseconds: Finagle's, Linkerd's and brpc's 10 s.
const DECAY: f32 = 10_000.0;

/// No latency counts as shorter, in seconds: brpc's 1 µs, so that no cost is zero.
const LEAST: f32 = 1e-6;

/// The most that a failure makes of a latency, in seconds: brpc's.
const MOST_BY_FAILURE: f32 = 30.0;

/// Failures within this time of each other, in milliseconds, double a latency once: many calls fail of one cause.
const ONE_CAUSE: u32 = 100;

/// The latency of an endpoint as its peak EWMA (Finagle's): it follows a longer sample at once, and comes down again
/// with the time constant of 10 s. Seconds and the moment of the last sample share one atomic, so that both change
/// together; reading decays what is read and writes nothing.
#[derive(Debug)]
pub(super) struct Latency {
    sampled: AtomicU64,
    /// When a failure last doubled it, in milliseconds.
    doubled: AtomicU32,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            sampled: AtomicU64::default(),
            // Long ago, wherever the clock begins.
            doubled: AtomicU32::new(u32::MAX / 2),
        }
    }
}

impl Latency {
    /// Takes in how long an answer took.
    ///
    /// A sample within the millisecond of the one before has no weight unless it is a peak, and writes nothing: a busy
    /// endpoint's latency is written to a thousand times a second at most.
    pub(super) fn observe(&self, now: u64, sample: Duration) {
        let sample = sample.as_secs_f32().max(LEAST);
        self.update(
            |known| match known {
                Some(known) if sample <= known.seconds => {
                    let kept = known.kept(now);
                    (kept < 1.0).then_some(known.seconds * kept + sample * (1.0 - kept))
                }
                _ => Some(sample),
            },
            now,
        );
    }

    /// Takes in a failure: as if it had taken twice as long as usual, so that an endpoint that fails fast gets slower,
    /// not faster; a first one as if the usual were `unknown`. Of brpc's rule without its other half, that a failure
    /// counts as the whole timeout: of one failure an endpoint of short calls would take minutes to recover.
    pub(super) fn fail(&self, now: u64, took: Duration, unknown: Duration) {
        let moment = now as u32;
        let doubled = self.doubled.load(Relaxed);
        let doubles = (ONE_CAUSE..=u32::MAX - ONE_CAUSE).contains(&moment.wrapping_sub(doubled))
            && self
                .doubled
                .compare_exchange(doubled, moment, Relaxed, Relaxed)
                .is_ok();
        let factor = if doubles { 2.0 } else { 1.0 };
        self.update(
            |known| {
                let usual = known.map_or(unknown.as_secs_f32(), |known| known.at(now));
                let failed = (factor * usual)
                    .max(took.as_secs_f32())
                    .min(MOST_BY_FAILURE);
                (failed > usual).then_some(failed)
            },
            now,
        );
    }

    /// Knows nothing any more.
    pub(super) fn forget(&self) {
        self.sampled.store(0, Relaxed);
    }

    /// Takes in that an answer would have taken longer than this.
    pub(super) fn exceed(&self, now: u64, elapsed: Duration, unknown: Duration) {
        let sample = elapsed.as_secs_f32();
        self.update(
            |known| {
                let known = known.map_or(unknown.as_secs_f32(), |known| known.at(now));
                (sample > known).then_some(sample)
            },
            now,
        );
    }

    /// The latency in seconds, decayed for the time since the last sample; `None` before the first one.
    pub(super) fn read(&self, now: u64) -> Option<f32> {
        Some(Sampled::unpack(self.sampled.load(Relaxed))?.at(now))
    }

    fn update(&self, change: impl Fn(Option<Sampled>) -> Option<f32>, now: u64) {
        // A refusal means that there was nothing to change.
        let _ = self.sampled.fetch_update(Relaxed, Relaxed, |bits| {
            let seconds = change(Sampled::unpack(bits))?;
            Some(
                Sampled {
                    seconds,
                    at: now as u32,
                }
                .pack(),
            )
        });
    }
}

/// A latency and when it was sampled, in milliseconds that wrap around after 49 days.
#[derive(Clone, Copy)]
struct Sampled {
    seconds: f32,
    at: u32,
}

impl Sampled {
    /// Zero seconds are no sample.
    fn unpack(bits: u64) -> Option<Self> {
        let seconds = f32::from_bits((bits >> 32) as u32);
        (seconds > 0.0).then_some(Self {
            seconds,
            at: bits as u32,
        })
    }

    fn pack(self) -> u64 {
        u64::from(self.seconds.to_bits()) << 32 | u64::from(self.at)
    }

    fn at(self, now: u64) -> f32 {
        (self.seconds * self.kept(now)).max(LEAST)
    }

    /// The part of the sample that time has left.
    fn kept(self, now: u64) -> f32 {
        /// How much earlier than the sample a reader's moment may be: another thread took it.
        const RACE: u32 = 60_000;
        match (now as u32).wrapping_sub(self.at) {
            0 => 1.0,
            age if age > u32::MAX - RACE => 1.0,
            age => (-(age as f32) / DECAY).exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Latency;

    const MS: Duration = Duration::from_millis(1);

    fn assert_reads(latency: &Latency, now: u64, seconds: f32) {
        let read = latency.read(now).unwrap();
        assert!((read / seconds - 1.0).abs() < 1e-4, "{read} for {seconds}");
    }

    #[test]
    fn it_follows_a_peak_at_once_and_decays_with_the_time_constant() {
        let latency = Latency::default();
        assert_eq!(latency.read(0), None);
        latency.observe(5, 10 * MS);
        assert_reads(&latency, 5, 0.010);
        latency.observe(6, 100 * MS);
        assert_reads(&latency, 6, 0.100);
        // One time constant later, however often it is read.
        let left = (-1.0_f32).exp();
        assert_reads(&latency, 10_006, 0.100 * left);
        assert_reads(&latency, 10_006, 0.100 * left);
        latency.observe(10_006, 10 * MS);
        assert_reads(&latency, 10_006, 0.100 * left + 0.010 * (1.0 - left));
    }

    #[test]
    fn in_one_millisecond_only_a_peak_counts() {
        let latency = Latency::default();
        latency.observe(5, 10 * MS);
        latency.observe(5, 9 * MS);
        assert_reads(&latency, 5, 0.010);
        latency.observe(5, 11 * MS);
        assert_reads(&latency, 5, 0.011);
    }

    #[test]
    fn many_short_samples_bring_it_down_as_one_would() {
        let latency = Latency::default();
        latency.observe(0, 100 * MS);
        for now in 1..=10_000 {
            latency.observe(now, MS);
        }
        let left = (-1.0_f32).exp();
        let read = latency.read(10_000).unwrap();
        let expected = 0.100 * left + 0.001 * (1.0 - left);
        assert!(
            (read / expected - 1.0).abs() < 0.01,
            "{read} for {expected}"
        );
    }

    #[test]
    fn a_failure_counts_as_twice_the_usual_up_to_thirty_seconds() {
        let (latency, unknown) = (Latency::default(), 30 * MS);
        latency.fail(0, MS, unknown);
        assert_reads(&latency, 0, 0.060);
        let left = (-0.01_f32).exp();
        latency.fail(100, MS, unknown);
        assert_reads(&latency, 100, 0.120 * left);
        latency.fail(100, 3000 * MS, unknown);
        assert_reads(&latency, 100, 3.0);
        for now in 2..12 {
            latency.fail(100 * now, MS, unknown);
        }
        assert_reads(&latency, 1100, 30.0);
        // What takes longer than that is not made faster by a failure.
        latency.observe(1200, 60_000 * MS);
        latency.fail(1300, MS, unknown);
        assert_reads(&latency, 1200, 60.0);
    }

    #[test]
    fn many_failures_of_one_cause_double_it_once_and_a_new_start_forgets_them() {
        let (latency, unknown) = (Latency::default(), 30 * MS);
        latency.observe(1000, 10 * MS);
        for now in 1000..1100 {
            latency.fail(now, MS, unknown);
        }
        assert_reads(&latency, 1000, 0.020);
        latency.forget();
        assert_eq!(latency.read(1100), None);
    }

    #[test]
    fn its_clock_may_wrap_around_and_be_read_late() {
        let (latency, wraps) = (Latency::default(), u64::from(u32::MAX));
        latency.observe(wraps - 5000, 10 * MS);
        assert_reads(&latency, wraps + 5000, 0.010 * (-1.0_f32).exp());
        // Another thread's moment was a little earlier.
        assert_reads(&latency, wraps - 5010, 0.010);
    }

    #[test]
    fn failures_at_crossing_clocks_are_of_one_cause_too() {
        let latency = Latency::default();
        latency.observe(10_000, 10 * MS);
        for _ in 0..5 {
            latency.fail(10_001, MS, MS);
            latency.fail(10_000, MS, MS);
        }
        let read = latency.read(10_001).unwrap();
        assert!(read < 0.021, "{read}");
    }
}
