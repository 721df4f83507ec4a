use std::time::Duration;

use doge_base::{Backoff, Env, Pauses};
use tokio::time::Instant;

use super::settings::Settings;

/// The longest pause after a failure, before jitter.
const LONGEST_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// The part of a pause by which it is longer at most. Never shorter: before the time to live has passed, a name server
/// that keeps answers would give the same answer again.
const JITTER: f64 = 0.1;
/// A time to live with the highest bit set counts as 0 ([RFC 2181](https://www.rfc-editor.org/rfc/rfc2181#section-8)).
const MOST_SECONDS: u32 = i32::MAX as u32;

/// When a name is looked up next.
#[derive(Debug)]
pub(super) struct Schedule {
    shortest: Duration,
    longest: Duration,
    env: Env,
    pauses: Pauses,
    began: Instant,
    due: Instant,
}

impl Schedule {
    /// A look is due.
    pub(super) fn new(settings: &Settings) -> Self {
        let env = settings.env.clone();
        let backoff = Backoff {
            first: settings.shortest,
            longest: LONGEST_AFTER_FAILURE.clamp(settings.shortest, settings.longest),
            factor: 2.0,
            ..Backoff::default()
        };
        Self {
            shortest: settings.shortest,
            longest: settings.longest,
            pauses: Pauses::new(backoff, env.clone()),
            began: env.now(),
            due: env.now(),
            env,
        }
    }

    /// When the next look is due.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// When the next look is due after a hint.
    pub(super) fn due_after_hint(&self) -> Instant {
        self.due.min(self.began + self.shortest)
    }

    /// A look begins. Until something comes of it, the next look is due the shortest time later.
    pub(super) fn begins(&mut self) {
        self.began = self.env.now();
        self.due = self.began + self.shortest;
    }

    /// The look has found records that live for so many seconds.
    pub(super) fn answered(&mut self, ttl: u32) {
        self.pauses.succeeded();
        let seconds = if ttl > MOST_SECONDS { 0 } else { ttl };
        let pause = Duration::from_secs(seconds.into()).clamp(self.shortest, self.longest);
        self.due = self.env.now() + pause.mul_f64(1.0 + JITTER * self.env.fraction());
    }

    /// The look has found nothing.
    pub(super) fn failed(&mut self) {
        self.due = self.env.now() + self.pauses.failed().max(self.shortest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dns;

    fn schedule(shortest: u64, longest: u64) -> Schedule {
        let builder = Dns::srv("a").env(Env::seeded(1));
        let [shortest, longest] = [shortest, longest].map(Duration::from_secs);
        let settings = builder.refresh(shortest, longest).settings().unwrap();
        Schedule::new(&settings)
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_follows_when_the_records_have_lived_within_the_bounds_and_a_little_later() {
        let mut schedule = schedule(5, 300);
        for (ttl, seconds) in [
            (0, 5),
            (1, 5),
            (60, 60),
            (300, 300),
            (86_400, 300),
            (MOST_SECONDS, 300),
            (MOST_SECONDS + 1, 5),
            (u32::MAX, 5),
        ] {
            let least = Duration::from_secs(seconds);
            let pauses = (0..100).map(|_| {
                schedule.begins();
                schedule.answered(ttl);
                schedule.due() - Instant::now()
            });
            let pauses: Vec<_> = pauses.collect();
            let within = |pause: &Duration| *pause >= least && *pause <= least.mul_f64(1.1);
            assert!(pauses.iter().all(within), "{ttl}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause > least.mul_f64(1.05)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_failures_the_pauses_grow_to_30_s_and_an_answer_ends_that() {
        let mut schedule = schedule(5, 300);
        let mut pause_after_failure = || {
            schedule.begins();
            schedule.failed();
            (schedule.due() - Instant::now()).as_secs_f64()
        };
        for usual in [5.0, 10.0, 20.0, 30.0, 30.0, 30.0] {
            let pause = pause_after_failure();
            let bounds = (usual * 0.8_f64).max(5.0)..=usual * 1.2;
            assert!(bounds.contains(&pause), "{usual}: {pause}");
        }
        schedule.answered(60);
        schedule.failed();
        assert!(schedule.due() - Instant::now() <= Duration::from_secs(6));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_brings_the_look_forward_to_the_shortest_time_after_the_last_one() {
        let mut schedule = schedule(5, 300);
        schedule.begins();
        let began = Instant::now();
        schedule.answered(100);
        assert_eq!(schedule.due_after_hint(), began + Duration::from_secs(5));
        schedule.begins();
        assert_eq!(schedule.due(), schedule.due_after_hint());
    }
}
