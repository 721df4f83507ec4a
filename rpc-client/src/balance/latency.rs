use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How fast the past is forgotten, in milliseconds: Finagle's, Linkerd's and brpc's 10 s.
const DECAY: f32 = 10_000.0;

/// No latency counts as shorter, in seconds: brpc's 1 µs, so that no cost is zero.
const LEAST: f32 = 1e-6;

/// The most that a failure makes of a latency, in seconds: brpc's.
const MOST_BY_FAILURE: f32 = 30.0;

/// The latency of an endpoint as its peak EWMA (Finagle's): it follows a longer sample at once, and comes down again
/// with the time constant of 10 s. Seconds and the moment of the last sample share one atomic, so that both change
/// together; reading decays what is read and writes nothing.
#[derive(Debug, Default)]
pub(super) struct Latency(AtomicU64);

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

    /// Takes in a failure: as if it had taken the whole time that the attempt had, and at least twice as long as usual
    /// (brpc). An endpoint that fails fast so gets slower, not faster.
    pub(super) fn fail(&self, now: u64, took: Duration, timeout: Duration) {
        let sample = took.max(timeout).as_secs_f32();
        self.update(
            |known| {
                let known = known.map_or(LEAST, |known| known.at(now));
                let failed = sample.max(2.0 * known).min(MOST_BY_FAILURE);
                (failed > known).then_some(failed)
            },
            now,
        );
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
        Some(Sampled::unpack(self.0.load(Relaxed))?.at(now))
    }

    fn update(&self, change: impl Fn(Option<Sampled>) -> Option<f32>, now: u64) {
        // A refusal means that there was nothing to change.
        let _ = self.0.fetch_update(Relaxed, Relaxed, |bits| {
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
    fn a_failure_counts_as_its_timeout_and_twice_the_usual_up_to_thirty_seconds() {
        let latency = Latency::default();
        latency.fail(0, MS, 200 * MS);
        assert_reads(&latency, 0, 0.200);
        latency.fail(0, MS, 200 * MS);
        assert_reads(&latency, 0, 0.400);
        latency.fail(0, 3000 * MS, 200 * MS);
        assert_reads(&latency, 0, 3.0);
        for _ in 0..10 {
            latency.fail(0, MS, 200 * MS);
        }
        assert_reads(&latency, 0, 30.0);
        // What takes longer than that is not made faster by a failure.
        latency.observe(0, 60_000 * MS);
        latency.fail(0, MS, 200 * MS);
        assert_reads(&latency, 0, 60.0);
    }

    #[test]
    fn its_clock_may_wrap_around_and_be_read_late() {
        let (latency, wraps) = (Latency::default(), u64::from(u32::MAX));
        latency.observe(wraps - 5000, 10 * MS);
        assert_reads(&latency, wraps + 5000, 0.010 * (-1.0_f32).exp());
        // Another thread's moment was a little earlier.
        assert_reads(&latency, wraps - 5010, 0.010);
    }
}
