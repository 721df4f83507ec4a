use std::time::Duration;

use super::in_place::is_long;

/// What a thread had used up before a poll of a handler that is watched: tells a handler that blocks, or computes, from a
/// short handler in the middle of which the system gave the processor to somebody else.
///
/// A look costs a system call, so only polls of watched methods are looked at.
#[derive(Debug)]
pub(crate) struct Usage(Option<system::Reading>);

impl Usage {
    /// What this thread has used up until now.
    pub(crate) fn now() -> Self {
        Self(system::usage())
    }

    /// The part of `took`, which has passed since, that the handler is to blame for: all of it where the thread slept, and
    /// the time on the processor where it did not.
    pub(crate) fn own_part(&self, took: Duration) -> Duration {
        if !is_long(took) {
            return took;
        }
        match (&self.0, system::usage()) {
            (Some(before), Some(after)) if after.sleeps == before.sleeps => {
                took.min(after.processor.saturating_sub(before.processor))
            }
            _ => took,
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::time::Duration;

    use nix::sys::{
        resource::{UsageWho, getrusage},
        time::TimeVal,
    };

    #[derive(Debug)]
    pub(super) struct Reading {
        pub(super) processor: Duration,
        /// How often the thread gave the processor away of its own accord, to wait for something.
        pub(super) sleeps: i64,
    }

    pub(super) fn usage() -> Option<Reading> {
        let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
        Some(Reading {
            processor: duration(usage.user_time())? + duration(usage.system_time())?,
            sleeps: usage.voluntary_context_switches(),
        })
    }

    fn duration(time: TimeVal) -> Option<Duration> {
        let seconds = u64::try_from(time.tv_sec()).ok()?;
        let micros = u64::try_from(time.tv_usec()).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_micros(micros))
    }
}

/// Other systems do not tell it of a thread: each long poll is the handler's fault.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::time::Duration;

    #[derive(Debug)]
    pub(super) struct Reading {
        pub(super) processor: Duration,
        pub(super) sleeps: i64,
    }

    pub(super) fn usage() -> Option<Reading> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        hint::black_box,
        time::{Duration, Instant},
    };

    use super::Usage;

    const LONG: Duration = Duration::from_millis(5);

    #[test]
    fn a_handler_that_sleeps_or_computes_is_to_blame() {
        let before = Usage::now();
        std::thread::sleep(LONG);
        assert_eq!(before.own_part(LONG), LONG);

        let (before, began) = (Usage::now(), Instant::now());
        while before.own_part(LONG) < LONG {
            black_box(began);
        }
        assert!(before.own_part(began.elapsed()) >= LONG);
    }

    #[test]
    fn a_handler_is_not_to_blame_for_what_others_do_meanwhile() {
        let before = Usage::now();
        assert!(before.own_part(Duration::from_secs(5)) < Duration::from_secs(1));
    }
}
