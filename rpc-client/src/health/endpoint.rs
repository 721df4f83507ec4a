use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{HealthConfig, HealthOutcome};

/// What is known of the health of one endpoint. It lives as long as the endpoint is in its cluster, so one that leaves
/// the cluster is forgotten with its ejections.
///
/// To record is one atomic addition while all goes well, and one more operation for a failure or the success after it.
#[derive(Debug)]
pub(crate) struct Health {
    /// Failures in a row, and the flags [`EJECTED`] and [`DUE`].
    row: AtomicU32,
    /// Calls since the last comparison: those that failed in the upper half, those that went well in the lower.
    counts: AtomicU64,
    /// Failures in a row that make an ejection due; 0 for none.
    threshold: u32,
    /// Only the ejector looks at this.
    pub(super) ejection: Mutex<Ejection>,
}

/// The ejections of one endpoint, as the ejector keeps them.
#[derive(Debug, Default)]
pub(super) struct Ejection {
    /// How many times as long as the first an ejection lasts.
    pub(super) multiplier: u32,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Stage {
    #[default]
    In,
    /// Ejected until then. `base` is the time of a first ejection for this cause.
    Out { until: Instant, base: Duration },
    /// Its time is over; a probe decides.
    Probing { base: Duration },
}

/// Calls between two comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) succeeded: u32,
    pub(super) failed: u32,
}

/// The endpoint is out of rotation.
const EJECTED: u32 = 1 << 31;
/// Failures in a row have reached the threshold, and the ejector has not looked since. As the ejection is due from that
/// failure on, a success that comes before the ejector does not undo it.
const DUE: u32 = 1 << 30;
/// The failures in a row.
const IN_A_ROW: u32 = DUE - 1;

const ONE_SUCCEEDED: u64 = 1;
const ONE_FAILED: u64 = 1 << 32;

impl Health {
    /// Healthy until something else is recorded.
    pub(crate) fn new(config: &HealthConfig) -> Self {
        Self {
            row: AtomicU32::new(0),
            counts: AtomicU64::new(0),
            threshold: config.consecutive_failures.unwrap_or(0).min(IN_A_ROW),
            ejection: Mutex::default(),
        }
    }

    /// Counts what an attempt told. True when the endpoint has now failed so often in a row that the ejector should look
    /// at once. What comes in during an ejection is of calls from before it, and is not held against the endpoint twice.
    pub(crate) fn record(&self, outcome: HealthOutcome) -> bool {
        match outcome {
            HealthOutcome::Success => {
                self.succeeded();
                false
            }
            HealthOutcome::Failure => self.failed(),
            HealthOutcome::Neutral => false,
        }
    }

    /// Whether it is out of rotation.
    pub(crate) fn is_ejected(&self) -> bool {
        self.row.load(Ordering::Relaxed) & EJECTED != 0
    }

    /// In what time a probe of it is due, if it is out of rotation; zero while a probe is under way.
    pub(crate) fn probe_in(&self, now: Instant) -> Option<Duration> {
        match self.ejection.lock().stage {
            Stage::In => None,
            Stage::Out { until, .. } => Some(until.saturating_duration_since(now)),
            Stage::Probing { .. } => Some(Duration::ZERO),
        }
    }

    /// Whether so many failures came in a row that it is to be ejected, now or since the last time this was asked.
    pub(super) fn take_due(&self) -> bool {
        let row = self.row.fetch_and(!DUE, Ordering::Relaxed);
        row & DUE != 0 || (self.threshold > 0 && row & IN_A_ROW >= self.threshold)
    }

    /// The calls since this was last asked.
    pub(super) fn take_counts(&self) -> Counts {
        let counts = self.counts.swap(0, Ordering::Relaxed);
        Counts {
            succeeded: counts as u32,
            failed: (counts >> 32) as u32,
        }
    }

    /// Out of rotation.
    pub(super) fn leave(&self) {
        self.row.store(EJECTED, Ordering::Relaxed);
    }

    /// Back in rotation, with a clean record.
    pub(super) fn come_back(&self) {
        self.counts.store(0, Ordering::Relaxed);
        self.row.store(0, Ordering::Relaxed);
    }

    fn succeeded(&self) {
        let row = self.row.load(Ordering::Relaxed);
        if row & EJECTED != 0 {
            return;
        }
        self.counts.fetch_add(ONE_SUCCEEDED, Ordering::Relaxed);
        if row & IN_A_ROW != 0 {
            self.row.fetch_and(!IN_A_ROW, Ordering::Relaxed);
        }
    }

    fn failed(&self) -> bool {
        let counted = self
            .row
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |row| {
                (row & EJECTED == 0).then(|| self.with_one_more(row))
            });
        let Ok(before) = counted else {
            return false;
        };
        self.counts.fetch_add(ONE_FAILED, Ordering::Relaxed);
        (before & IN_A_ROW) + 1 == self.threshold
    }

    fn with_one_more(&self, row: u32) -> u32 {
        let failures = (row & IN_A_ROW).saturating_add(1).min(IN_A_ROW);
        let due = if failures == self.threshold { DUE } else { 0 };
        row & DUE | due | failures
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, Health, IN_A_ROW};
    use crate::health::{HealthConfig, HealthOutcome};

    fn health(threshold: u32) -> Health {
        Health::new(&HealthConfig {
            consecutive_failures: Some(threshold),
            ..HealthConfig::default()
        })
    }

    #[test]
    fn it_asks_for_a_look_at_the_failure_that_reaches_the_threshold_only() {
        use HealthOutcome::{Failure as F, Neutral as N, Success as S};
        for (threshold, outcomes, looks) in [
            (3, &[F, F, F, F, F][..], &[2][..]),
            (3, &[F, F, S, F, F], &[]),
            (3, &[F, N, F, N, F], &[4]),
            (3, &[F, F, F, S, F, F, F], &[2, 6]),
            (1, &[S, F, F, S, F], &[1, 4]),
            (0, &[F, F, F, F, F], &[]),
            (u32::MAX, &[F, F, F, F, F], &[]),
        ] {
            let health = health(threshold);
            let asked: Vec<_> = outcomes
                .iter()
                .enumerate()
                .filter(|(_, outcome)| health.record(**outcome))
                .map(|(index, _)| index)
                .collect();
            assert_eq!(asked, looks, "{threshold}: {outcomes:?}");
        }
    }

    #[test]
    fn an_ejection_stays_due_until_it_is_looked_at_or_as_long_as_failures_go_on() {
        let health = health(2);
        health.record(HealthOutcome::Failure);
        assert!(!health.take_due());
        health.record(HealthOutcome::Failure);
        health.record(HealthOutcome::Success);
        assert!(health.take_due(), "the success came too late");
        assert!(!health.take_due());
        health.record(HealthOutcome::Failure);
        health.record(HealthOutcome::Failure);
        assert!(health.take_due());
        assert!(health.take_due(), "it goes on failing");
        health.record(HealthOutcome::Success);
        assert!(!health.take_due());
    }

    #[test]
    fn counts_are_of_the_time_since_they_were_last_taken() {
        let health = health(0);
        for outcome in [
            HealthOutcome::Success,
            HealthOutcome::Failure,
            HealthOutcome::Neutral,
        ] {
            for _ in 0..3 {
                health.record(outcome);
            }
        }
        health.record(HealthOutcome::Success);
        let (succeeded, failed) = (4, 3);
        assert_eq!(health.take_counts(), Counts { succeeded, failed });
        let (succeeded, failed) = (0, 0);
        assert_eq!(health.take_counts(), Counts { succeeded, failed });
    }

    #[test]
    fn what_comes_during_an_ejection_counts_neither_then_nor_later() {
        let health = health(2);
        health.leave();
        for _ in 0..10 {
            assert!(!health.record(HealthOutcome::Failure));
            assert!(!health.record(HealthOutcome::Success));
        }
        assert!(health.is_ejected() && !health.take_due());
        health.come_back();
        assert!(!health.is_ejected());
        let (succeeded, failed) = (0, 0);
        assert_eq!(health.take_counts(), Counts { succeeded, failed });
        assert!(!health.record(HealthOutcome::Failure));
        assert!(health.record(HealthOutcome::Failure));
    }

    #[test]
    fn failures_without_end_do_not_reach_the_flags() {
        let health = health(u32::MAX);
        health
            .row
            .store(IN_A_ROW - 1, std::sync::atomic::Ordering::Relaxed);
        assert!(health.record(HealthOutcome::Failure));
        assert!(!health.record(HealthOutcome::Failure));
        assert!(!health.is_ejected() && health.take_due());
    }
}
