use std::time::Duration;

use tokio::time::Instant;

/// Whether the calls of a method are polled in place, by the connection's task, which saves a task for each call; or
/// in tasks of their own, so that a handler that blocks its thread does not hold up its connection.
///
/// State without a clock: moments are arguments. A method begins in place. After one poll there that took too long, but
/// less than 10 ms, the method is watched: each of its polls is timed, without what [others](super::Usage) took of the
/// processor. After its k-th such poll, from the second one on, the method is tried in place again only after 64 * 2^k
/// calls, or half a minute * 2^(k-2) without any that took too long: a method that blocks each time does so in place 10
/// times in its first 100,000 calls, and one that blocked twice is back within a minute. k counts down again while polls
/// in place are short.
#[derive(Debug)]
pub(super) struct InPlace {
    /// Polls in place that took too long, less those that are forgiven.
    blocked: u32,
    phase: Phase,
    /// When a poll last took too long, or a call was last tried in place.
    since: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    InPlace {
        /// Polls that were short, since one was forgiven.
        short: u32,
    },
    Apart {
        /// First polls in tasks of their own that were short, less a period for each that was not.
        calls: u64,
    },
}

/// A poll that takes longer than this holds up the calls behind it, which costs more than a task does.
const LIGHT: Duration = Duration::from_micros(100);

/// A quarter of the calls before the first trial.
const PERIOD: u64 = 64;

/// Polls that took too long after which a method is no longer polled in place. The first such poll is not known to be the
/// method's fault: only then are polls looked at that closely.
const STRIKES: u32 = 2;

/// A poll that takes longer than this needs no second. The first long poll is judged by the clock alone; the system hardly
/// ever takes the processor away for so long.
const CERTAIN: Duration = Duration::from_millis(10);

/// Time before the first trial.
const RECOVERY: Duration = Duration::from_secs(30);

/// Doublings of the calls and of the time before a trial, at most: up to 67 million calls, and up to 64 minutes.
const MOST_DOUBLINGS: (u32, u32) = (20, 7);

/// Short polls in place after which one that was too long is forgiven. On a busy machine the system takes the thread away
/// in the middle of a poll once in some hundred or thousand polls, which says nothing about the method.
const FORGIVEN: u32 = 256;

/// Whether that is too long for a poll in place.
pub(crate) fn is_long(time: Duration) -> bool {
    time > LIGHT
}

impl InPlace {
    pub(super) fn new() -> Self {
        Self {
            blocked: 0,
            phase: Phase::InPlace { short: 0 },
            since: None,
        }
    }

    /// Whether anything is to be forgiven, so that each poll has to be told.
    pub(super) fn is_suspect(&self) -> bool {
        self.blocked > 0
    }

    /// Whether the call that begins now is polled in place; `alone` if no other call waits on its connection. Of a method
    /// that is apart only such a call is tried, and no other one before the next trial is due or this one went well.
    pub(super) fn admits(&mut self, alone: bool, now: Instant) -> bool {
        let (due_calls, due_time) = (self.calls_apart(), self.time_apart());
        match &mut self.phase {
            Phase::InPlace { .. } => true,
            Phase::Apart { calls } => {
                let since = self.since.unwrap_or(now);
                let rested = now.saturating_duration_since(since);
                let is_tried = alone && (*calls >= due_calls || rested >= due_time);
                if is_tried {
                    (*calls, self.since) = (0, Some(now));
                }
                is_tried
            }
        }
    }

    /// Notes a poll in place that began then and ends now; `took` is what the method is to blame for of that time.
    pub(super) fn polled(&mut self, began: Option<Instant>, took: Duration, now: Instant) {
        if let Some(since) = self.since
            && began.is_none_or(|began| began < since)
        {
            // It began beside the poll that blocked, at another connection: one cause counts once.
            return;
        }
        if is_long(took) {
            let least = if took > CERTAIN { STRIKES } else { 1 };
            self.blocked = (self.blocked + 1).max(least);
            self.since = Some(now);
            self.phase = match self.blocked < STRIKES {
                true => Phase::InPlace { short: 0 },
                false => Phase::Apart { calls: 0 },
            };
            return;
        }
        let short = match self.phase {
            Phase::InPlace { short } => short + 1,
            Phase::Apart { .. } => 1,
        };
        let is_forgiven = short == FORGIVEN;
        self.blocked = self.blocked.saturating_sub(u32::from(is_forgiven));
        self.phase = Phase::InPlace {
            short: if is_forgiven { 0 } else { short },
        };
    }

    /// Notes the first poll of a call in a task of its own.
    pub(super) fn polled_apart(&mut self, took: Duration, now: Instant) {
        if let Phase::Apart { calls } = &mut self.phase {
            if is_long(took) {
                *calls = calls.saturating_sub(PERIOD);
                self.since = Some(now);
            } else {
                *calls += 1;
            }
        }
    }

    fn calls_apart(&self) -> u64 {
        PERIOD << self.blocked.min(MOST_DOUBLINGS.0)
    }

    fn time_apart(&self) -> Duration {
        RECOVERY * (1 << self.blocked.saturating_sub(STRIKES).min(MOST_DOUBLINGS.1))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{FORGIVEN, InPlace};

    const SHORT: Duration = Duration::from_micros(5);
    const LONG: Duration = Duration::from_millis(5);

    /// A method, and the moment of its next call.
    struct Method {
        memory: InPlace,
        now: Instant,
    }

    impl Method {
        fn new() -> Self {
            let (memory, now) = (InPlace::new(), Instant::now());
            Self { memory, now }
        }

        /// One call, and whether it was polled in place.
        fn call(&mut self, in_place: Duration, apart: Duration, alone: bool) -> bool {
            let admitted = self.memory.admits(alone, self.now);
            let took = if admitted { in_place } else { apart };
            self.now += took;
            if admitted {
                self.memory
                    .polled(self.now.checked_sub(took), took, self.now);
            } else {
                self.memory.polled_apart(took, self.now);
            }
            admitted
        }

        /// Which of so many calls, that block in place and nowhere else, were polled in place.
        fn blocking_calls(&mut self, calls: usize) -> Vec<usize> {
            (0..calls)
                .filter(|_| self.call(LONG, SHORT, true))
                .collect()
        }

        fn short_calls(&mut self, calls: usize) -> usize {
            (0..calls).filter(|_| self.call(SHORT, SHORT, true)).count()
        }
    }

    #[test]
    fn a_method_that_never_takes_long_is_polled_in_place() {
        let mut method = Method::new();
        assert_eq!(method.short_calls(10_000), 10_000);
        assert!(!method.memory.is_suspect());
    }

    #[test]
    fn a_method_that_blocks_is_tried_after_twice_as_many_calls_each_time() {
        let mut method = Method::new();
        let tried = method.blocking_calls(100_000);
        let expected = [0, 1, 258, 771, 1_796, 3_845, 7_942, 16_135, 32_520, 65_289];
        assert_eq!(tried, expected);
    }

    #[test]
    fn a_method_that_blocks_for_long_is_apart_at_once() {
        let mut method = Method::new();
        let tried: Vec<_> = (0..1_000)
            .filter(|_| method.call(40 * LONG, SHORT, true))
            .collect();
        assert_eq!(tried, [0, 257, 770]);
    }

    #[test]
    fn a_method_that_takes_long_apart_as_well_is_not_tried() {
        let mut method = Method::new();
        let tried = (0..100_000).filter(|_| method.call(LONG, LONG, true));
        assert_eq!(tried.count(), 2);
        // One in ten is too many as well.
        let mut method = Method::new();
        let tried = (0..100_000).filter(|call| {
            let took = if call % 10 == 0 { LONG } else { SHORT };
            method.call(took, took, true)
        });
        assert_eq!(tried.count(), 11);
    }

    #[test]
    fn a_trial_waits_until_no_other_call_does_and_is_one_call() {
        let mut method = Method::new();
        method.blocking_calls(2);
        assert!((0..1_000).all(|_| !method.call(SHORT, SHORT, false)));
        assert!(method.memory.admits(true, method.now));
        assert!(
            !method.memory.admits(true, method.now),
            "one is tried already"
        );
        method.now += SHORT;
        let began = method.now - SHORT;
        method.memory.polled(Some(began), SHORT, method.now);
        assert!(method.call(SHORT, SHORT, false), "it is back in place");
    }

    #[test]
    fn a_method_that_blocked_once_or_twice_is_back_within_a_minute_however_few_its_calls() {
        let mut method = Method::new();
        method.blocking_calls(1);
        assert!(method.call(SHORT, SHORT, false), "it is watched");
        method.blocking_calls(1);
        method.now += Duration::from_secs(29);
        assert!(!method.call(SHORT, SHORT, true));
        method.now += Duration::from_secs(1);
        assert!(method.call(SHORT, SHORT, true));
        assert!(method.call(SHORT, SHORT, true));
    }

    #[test]
    fn the_time_until_a_trial_doubles_up_to_64_minutes() {
        let mut method = Method::new();
        method.blocking_calls(2);
        for minutes in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 64.0] {
            let time = Duration::from_secs_f64(60.0 * minutes);
            method.now += time - Duration::from_secs(1);
            assert!(!method.call(LONG, SHORT, true), "{minutes} minutes");
            method.now += Duration::from_secs(1);
            assert!(method.call(LONG, SHORT, true), "{minutes} minutes");
        }
    }

    #[test]
    fn polls_that_blocked_at_the_same_time_count_once() {
        let mut method = Method::new();
        method.blocking_calls(1);
        let began = method.now;
        assert!((0..10).all(|_| method.memory.admits(true, began)));
        for connection in 0..10 {
            let ended = began + LONG + Duration::from_millis(connection);
            method.memory.polled(Some(began), ended - began, ended);
        }
        // A short one that ends late does not bring it back either.
        method.memory.polled(Some(began), SHORT, began + 2 * LONG);
        method.now = began + 2 * LONG;
        assert_eq!(method.blocking_calls(260), [256]);
    }

    #[test]
    fn what_a_busy_machine_does_to_a_short_method_is_forgiven() {
        let mut method = Method::new();
        let mut in_place = 0;
        for call in 1..=1_000_000 {
            // In one of 1,000 polls the thread is taken away.
            let took = if call % 1_000 == 0 { LONG } else { SHORT };
            in_place += usize::from(method.call(took, took, true));
        }
        assert!(in_place > 999_000, "{in_place}");

        let mut method = Method::new();
        method.blocking_calls(2);
        method.short_calls(256 + 2 * FORGIVEN as usize);
        assert!(!method.memory.is_suspect());
    }
}
