use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::decay::Decay;

/// How fast the past is forgotten: with 5 s.
///
/// Finagle, Linkerd and brpc have 10 s. They leave a slow endpoint alone, and so what is remembered of it comes down to
/// nothing. Chosen by odds it goes on being sampled, and comes down to the truth, which takes about twice as long to the
/// moment at which it is as good as any other.
const FORGETTING: Decay = Decay::with_time_constant(5_000.0);

/// No latency counts as shorter, in seconds: brpc's 1 µs, so that no cost is zero.
const LEAST: f32 = 1e-6;

/// How many times what was known one slow answer makes of a latency, at most.
///
/// Finagle's peak EWMA has no such bound, and so one answer that is f times as slow counts for τ ln f. With it a
/// hiccup counts for 7 s at the most, and an endpoint that is slow shows it with two or three answers.
const MOST_BY_ONE: f32 = 4.0;

/// The latency of an endpoint as its peak EWMA (Finagle's), with bounded peaks: it follows a longer sample at once, up to
/// four times what was known, and comes down again with the time constant of 5 s.
///
/// Calls that were under way when a sample raised it do not raise it further: a pause of the endpoint makes all calls slow
/// that are there, and is one cause. Seconds and the moment of the last sample share one atomic, so that both change
/// together; reading decays what is read and writes nothing.
#[derive(Debug, Default)]
pub(super) struct Latency {
    sampled: AtomicU64,
    /// When a sample raised it last, in milliseconds; 0 for never.
    raised: AtomicU32,
}

impl Latency {
    /// Takes in how long an answer took. `usual` is the latency of other endpoints, which bounds a first sample.
    ///
    /// A sample within the millisecond of the one before has no weight unless it is a peak, and writes nothing: a busy
    /// endpoint's latency is written to a thousand times a second at most.
    pub(super) fn observe(&self, now: u64, took: Duration, usual: impl Fn() -> Option<f32>) {
        self.update(now, took, |known, sample| match known {
            None => Some(bounded(sample, usual())),
            Some(known) => {
                let left = known.left(now);
                (left < 1.0).then_some(known.seconds * left + sample * (1.0 - left))
            }
        });
    }

    /// Takes in that an answer would have taken longer than this: it can raise the latency and not lower it. Where
    /// nothing is known, it has to be longer than the `usual` of other endpoints, or than `unknown` without such.
    pub(super) fn exceed(
        &self,
        now: u64,
        elapsed: Duration,
        usual: impl Fn() -> Option<f32>,
        unknown: Duration,
    ) {
        self.update(now, elapsed, |known, sample| match known {
            None => {
                let usual = usual();
                let expected = usual.unwrap_or(unknown.as_secs_f32());
                (sample > expected).then(|| bounded(sample, usual))
            }
            // What is forgotten is forgotten down to the usual, and no further.
            Some(known) => {
                let expected = known.at(now).max(usual().unwrap_or(0.0));
                (sample > expected).then_some(sample)
            }
        });
    }

    /// Knows nothing any more.
    pub(super) fn forget(&self) {
        self.sampled.store(0, Relaxed);
        self.raised.store(0, Relaxed);
    }

    /// The latency in seconds, decayed for the time since the last sample; `None` before the first one.
    #[inline]
    pub(super) fn read(&self, now: u64) -> Option<f32> {
        Some(Sampled::unpack(self.sampled.load(Relaxed))?.at(now))
    }

    /// The last known latency; `None` before the first sample.
    pub(super) fn last(&self, now: u64) -> Option<LastLatency> {
        let sampled = Sampled::unpack(self.sampled.load(Relaxed))?;
        Some(LastLatency {
            seconds: sampled.seconds,
            left: sampled.left(now),
        })
    }

    /// Takes in a sample: a peak raises the latency, and of any other sample `change` says what it makes of it.
    fn update(
        &self,
        now: u64,
        took: Duration,
        change: impl Fn(Option<Sampled>, f32) -> Option<f32>,
    ) {
        let (sample, moment) = (took.as_secs_f32().max(LEAST), now as u32);
        let is_peak = |known: Sampled| sample > known.seconds;
        let is_new_cause = self.is_new_cause(moment, took);
        let before = self.sampled.fetch_update(Relaxed, Relaxed, |bits| {
            let known = Sampled::unpack(bits);
            let seconds = match known {
                Some(known) if is_peak(known) && is_new_cause => known.raised_by(sample, now),
                Some(known) if is_peak(known) => known.seconds,
                known => change(known, sample)?,
            };
            let at = moment;
            Some(Sampled { seconds, at }.pack())
        });
        // A refusal means that there was nothing to change.
        let Ok(before) = before else { return };
        if is_new_cause && Sampled::unpack(before).is_none_or(is_peak) {
            self.raised.store(moment.max(1), Relaxed);
        }
    }

    /// Whether a call that took so long began after a sample raised the latency last.
    fn is_new_cause(&self, now: u32, took: Duration) -> bool {
        let raised = self.raised.load(Relaxed);
        let began = now.wrapping_sub(u32::try_from(took.as_millis()).unwrap_or(u32::MAX));
        // After, by a clock that wraps around.
        raised == 0 || (1..u32::MAX / 2).contains(&began.wrapping_sub(raised))
    }
}

/// A latency as of the last sample, and how much of it time has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastLatency {
    pub(super) seconds: f32,
    pub(super) left: f32,
}

/// A first sample, at most four times what is usual elsewhere: what is slow may be the cold start.
fn bounded(sample: f32, usual: Option<f32>) -> f32 {
    usual.map_or(sample, |usual| sample.min(MOST_BY_ONE * usual))
}

/// A latency and when it was sampled, in milliseconds that wrap around after 49 days.
#[derive(Clone, Copy)]
struct Sampled {
    seconds: f32,
    at: u32,
}

impl Sampled {
    /// Zero seconds are no sample.
    #[inline]
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

    #[inline]
    fn at(self, now: u64) -> f32 {
        (self.seconds * self.left(now)).max(LEAST)
    }

    /// What a peak makes of it. What was known counts without its decay as well: after a pause without calls a usual
    /// answer is no peak.
    fn raised_by(self, sample: f32, now: u64) -> f32 {
        sample.min((MOST_BY_ONE * self.at(now)).max(self.seconds))
    }

    /// The part of the sample that time has left.
    #[inline]
    fn left(self, now: u64) -> f32 {
        FORGETTING.left(self.at, now as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Latency;

    const MS: Duration = Duration::from_millis(1);

    fn observe(latency: &Latency, now: u64, took: Duration) {
        latency.observe(now, took, || None);
    }

    fn assert_reads(latency: &Latency, now: u64, seconds: f32) {
        let read = latency.read(now).unwrap();
        assert!((read / seconds - 1.0).abs() < 1e-4, "{read} for {seconds}");
    }

    #[test]
    fn it_follows_a_peak_at_once_and_decays_with_the_time_constant() {
        let latency = Latency::default();
        assert_eq!(latency.read(0), None);
        observe(&latency, 1_000, 10 * MS);
        assert_reads(&latency, 1_000, 0.010);
        observe(&latency, 1_031, 30 * MS);
        assert_reads(&latency, 1_031, 0.030);
        // One time constant later, however often it is read.
        let left = (-1.0_f32).exp();
        assert_reads(&latency, 6_031, 0.030 * left);
        assert_reads(&latency, 6_031, 0.030 * left);
        observe(&latency, 6_031, 10 * MS);
        assert_reads(&latency, 6_031, 0.030 * left + 0.010 * (1.0 - left));
    }

    #[test]
    fn a_peak_counts_as_four_times_what_was_known_and_the_next_as_four_times_that() {
        let latency = Latency::default();
        observe(&latency, 1_000, MS);
        observe(&latency, 2_000, 100 * MS);
        let left = |millis: f32| (-millis / 5_000.0).exp();
        assert_reads(&latency, 2_000, 0.004 * left(1_000.0));
        observe(&latency, 2_101, 100 * MS);
        assert_reads(&latency, 2_101, 0.016 * left(1_101.0));
        observe(&latency, 2_202, 100 * MS);
        observe(&latency, 2_303, 100 * MS);
        assert_reads(&latency, 2_303, 0.100);
    }

    #[test]
    fn of_calls_that_were_slow_at_once_only_one_raises_it() {
        let latency = Latency::default();
        observe(&latency, 1_000, MS);
        for now in 2_000..2_050 {
            observe(&latency, now, 100 * MS);
        }
        let read = latency.read(2_050).unwrap();
        assert!(read < 0.004, "{read}");
        observe(&latency, 2_101, 100 * MS);
        assert!(latency.read(2_101).unwrap() > 0.012);
    }

    #[test]
    fn after_a_pause_a_usual_answer_counts_in_full() {
        let latency = Latency::default();
        observe(&latency, 1_000, 10 * MS);
        assert!(latency.read(61_000).unwrap() < 0.0001);
        observe(&latency, 61_000, 10 * MS);
        assert!(latency.read(61_000).unwrap() > 0.0099);
    }

    #[test]
    fn a_first_sample_counts_as_four_times_what_is_usual_elsewhere() {
        let usual = || Some(0.002);
        for (took, seconds) in [(MS, 0.001), (8 * MS, 0.008), (100 * MS, 0.008)] {
            let latency = Latency::default();
            latency.observe(1_000, took, usual);
            assert_reads(&latency, 1_000, seconds);
            // The others of the first calls are of the same cause.
            latency.observe(1_001, 100 * MS, usual);
            assert!(latency.read(1_001).unwrap() <= seconds.max(0.002));
        }
    }

    #[test]
    fn in_one_millisecond_only_a_peak_counts() {
        let latency = Latency::default();
        observe(&latency, 1_000, 10 * MS);
        observe(&latency, 1_020, 9 * MS);
        let before = latency.read(1_020).unwrap();
        observe(&latency, 1_020, 8 * MS);
        assert_reads(&latency, 1_020, before);
        observe(&latency, 1_020, 11 * MS);
        assert_reads(&latency, 1_020, 0.011);
    }

    #[test]
    fn many_short_samples_bring_it_down_as_one_would() {
        let latency = Latency::default();
        observe(&latency, 0, 100 * MS);
        for now in 1..=5_000 {
            observe(&latency, now, MS);
        }
        let left = (-1.0_f32).exp();
        let read = latency.read(5_000).unwrap();
        let expected = 0.100 * left + 0.001 * (1.0 - left);
        assert!(
            (read / expected - 1.0).abs() < 0.01,
            "{read} for {expected}"
        );
    }

    #[test]
    fn what_was_given_up_can_raise_it_and_not_lower_it() {
        let (latency, none) = (Latency::default(), || None);
        latency.exceed(1_000, 29 * MS, none, 30 * MS);
        assert_eq!(latency.read(1_000), None, "no longer than what is expected");
        latency.exceed(1_000, 5 * MS, || Some(0.002), 30 * MS);
        assert_reads(&latency, 1_000, 0.005);
        latency.exceed(1_003, 2 * MS, none, 30 * MS);
        assert_reads(&latency, 1_000, 0.005);
        latency.exceed(2_000, 100 * MS, none, 30 * MS);
        assert_reads(&latency, 2_000, 0.020 * (-0.2_f32).exp());
        latency.forget();
        assert_eq!(latency.read(2_000), None);
    }

    #[test]
    fn its_clock_may_wrap_around() {
        let (latency, wraps) = (Latency::default(), u64::from(u32::MAX));
        observe(&latency, wraps - 2_500, 10 * MS);
        assert_reads(&latency, wraps + 2_500, 0.010 * (-1.0_f32).exp());
        observe(&latency, wraps + 2_500, 12 * MS);
        assert_reads(&latency, wraps + 2_500, 0.012);
    }
}
