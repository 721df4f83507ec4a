use std::time::{Duration, SystemTime};

use doge_base::Env;
use tokio::time::Instant;

/// One moment on both clocks: the one that files are stamped with, and the one that never jumps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    pub(super) steady: Instant,
}

impl Moment {
    pub(super) fn now(env: &Env) -> Self {
        Self {
            wall: env.date(),
            steady: env.now(),
        }
    }
}

/// What tells one content of a file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) modified: SystemTime,
    pub(super) length: u64,
}

/// When a file was first seen with its present stamp, and how old it was then.
///
/// The wall clock is asked once per stamp, and from then on the steady clock tells the age. So when
/// the wall clock is set, the live do not look dead, and a dead entry stamped in the future, which
/// counts as new when first seen, still grows old.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    stamp: Stamp,
    age: Duration,
    at: Instant,
}

impl Sighting {
    pub(super) fn new(stamp: Stamp, now: Moment) -> Self {
        Self {
            stamp,
            age: now.wall.duration_since(stamp.modified).unwrap_or_default(),
            at: now.steady,
        }
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(super) fn age(&self, now: Moment) -> Duration {
        self.age
            .saturating_add(now.steady.saturating_duration_since(self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    fn sighting(modified: SystemTime, now: Moment) -> Sighting {
        Sighting::new(
            Stamp {
                modified,
                length: 1,
            },
            now,
        )
    }

    #[test]
    fn age_is_what_the_wall_clock_said_and_what_has_passed_since() {
        let now = Moment::now(&Env::system());
        let sighting = sighting(now.wall - SECOND, now);
        let later = Moment {
            wall: now.wall + SECOND,
            steady: now.steady + SECOND,
        };
        assert_eq!(sighting.age(later), 2 * SECOND);
    }

    #[test]
    fn a_jump_of_the_wall_clock_ages_nothing() {
        let now = Moment::now(&Env::system());
        let sighting = sighting(now.wall, now);
        for wall in [now.wall + HOUR, now.wall - HOUR] {
            let steady = now.steady + SECOND;
            assert_eq!(sighting.age(Moment { wall, steady }), SECOND);
        }
    }

    #[test]
    fn a_stamp_from_the_future_grows_old_too() {
        let now = Moment::now(&Env::system());
        let sighting = sighting(now.wall + HOUR, now);
        assert_eq!(sighting.age(now), Duration::ZERO);
        let later = Moment {
            wall: now.wall + SECOND,
            steady: now.steady + SECOND,
        };
        assert_eq!(sighting.age(later), SECOND);
    }
}
