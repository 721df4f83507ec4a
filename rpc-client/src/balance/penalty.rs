use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::decay::Decay;

/// How fast failures are forgiven: of what a penalty is above 1, 1/e is left after 5 s.
const FORGIVING: Decay = Decay::with_time_constant(5_000.0);

/// The most that failures make of a wait: with odds by its cube an endpoint that only fails keeps 1 call in 32,768.
const MOST: f32 = 32.0;

/// Failures within this time of each other, in milliseconds, double a penalty once: many calls fail of one cause.
const ONE_CAUSE: u32 = 100;

/// The factor by which failures make an endpoint look slower: 1 at first, doubled by a failure, up to 32, and back to 1
/// by itself.
///
/// It stands beside the latency, not in it (brpc doubles the latency itself): an endpoint that is mended has its share
/// again in seconds, whatever the latency was. The factor and the moment of the last doubling share one atomic; all bits
/// zero mean that no failure is known.
#[derive(Debug, Default)]
pub(super) struct Penalty {
    doubled: AtomicU64,
}

impl Penalty {
    /// Takes in a failure.
    pub(super) fn fail(&self, now: u64) {
        let moment = now as u32;
        // A refusal means that a failure of the same cause has counted.
        let _ = self.doubled.fetch_update(Relaxed, Relaxed, |bits| {
            let at = bits as u32;
            let apart = moment.wrapping_sub(at);
            let same_cause = !(ONE_CAUSE..=u32::MAX - ONE_CAUSE).contains(&apart);
            if bits != 0 && same_cause {
                return None;
            }
            let above = (2.0 * factor(bits, moment)).min(MOST) - 1.0;
            Some(u64::from(above.to_bits()) << 32 | u64::from(moment))
        });
    }

    /// No failure is known any more.
    pub(super) fn forget(&self) {
        self.doubled.store(0, Relaxed);
    }

    /// The factor.
    #[inline]
    pub(super) fn read(&self, now: u64) -> f32 {
        match self.doubled.load(Relaxed) {
            0 => 1.0,
            bits => factor(bits, now as u32),
        }
    }
}

fn factor(bits: u64, now: u32) -> f32 {
    let above = f32::from_bits((bits >> 32) as u32);
    1.0 + above * FORGIVING.left(bits as u32, now)
}

#[cfg(test)]
mod tests {
    use super::Penalty;

    fn assert_reads(penalty: &Penalty, now: u64, factor: f32) {
        let read = penalty.read(now);
        assert!((read / factor - 1.0).abs() < 1e-4, "{read} for {factor}");
    }

    #[test]
    fn a_failure_doubles_it_up_to_32_and_it_is_forgiven_with_5_seconds() {
        let penalty = Penalty::default();
        assert_reads(&penalty, 0, 1.0);
        penalty.fail(0);
        assert_reads(&penalty, 0, 2.0);
        assert_reads(&penalty, 5_000, 1.0 + (-1.0_f32).exp());
        for time in 0..20 {
            penalty.fail(5_000 + 100 * time);
        }
        assert_eq!(penalty.read(6_900), 32.0);
        assert_reads(&penalty, 6_900 + 120_000, 1.0);
        penalty.forget();
        assert_eq!(penalty.read(6_900), 1.0);
    }

    #[test]
    fn failures_of_one_cause_count_once_at_crossing_clocks_too() {
        let penalty = Penalty::default();
        for _ in 0..5 {
            (10_000..10_100).for_each(|now| penalty.fail(now));
            penalty.fail(9_999);
        }
        assert_reads(&penalty, 10_000, 2.0);
        penalty.fail(10_101);
        assert!(penalty.read(10_101) > 3.9);
    }

    #[test]
    fn a_failure_at_the_first_moment_counts() {
        let penalty = Penalty::default();
        penalty.fail(0);
        assert_reads(&penalty, 0, 2.0);
        // The same moment again, 49 days later.
        penalty.fail(u64::from(u32::MAX) + 1 + 50);
        assert_reads(&penalty, 50, 1.0 + (-0.01_f32).exp());
    }
}
