use std::time::Duration;

use super::failure::{Failure, Reason};
use super::settings::Settings;

/// How many members are waited for in vain at most, and how few.
const MOST_WAITS: usize = 5;
const FEWEST_WAITS: usize = 2;
/// The pause after all members have failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Decides how often one request is tried.
///
/// Members that refuse at once are tried again for as long as the request timeout, because that is what those do
/// that elect a leader. Those that do not answer, or know no such user, have one try each.
#[derive(Debug)]
pub(super) struct Tries {
    request_timeout: Duration,
    members: usize,
    refusals: usize,
    /// Time that went by with refusals.
    refused: Duration,
    waits: usize,
}

impl Tries {
    pub(super) fn new(settings: &Settings) -> Self {
        Self::of(settings.endpoints.len(), settings.request_timeout)
    }

    /// How long to wait before the next try, after one that failed within `took`; none if there is to be none.
    pub(super) fn after(&mut self, failure: &Failure, took: Duration) -> Option<Duration> {
        if !failure.is_of_member() {
            return None;
        }
        if failure.reason == Reason::Credentials || took > self.request_timeout / 2 {
            self.waits += 1;
            let most = self.members.clamp(FEWEST_WAITS, MOST_WAITS);
            return (self.waits < most).then_some(Duration::ZERO);
        }
        self.refusals += 1;
        // The first one of a single member may be that of a connection that broke long ago.
        let pause = if self.refusals < self.members.max(FEWEST_WAITS) {
            Duration::ZERO
        } else {
            PAUSE.mul_f64(0.5 + fastrand::f64())
        };
        self.refused += took + pause;
        (self.refused < self.request_timeout).then_some(pause)
    }

    fn of(members: usize, request_timeout: Duration) -> Self {
        Self {
            request_timeout,
            members,
            refusals: 0,
            refused: Duration::ZERO,
            waits: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn count(members: usize, reason: Reason, took: Duration) -> (usize, Duration) {
        let mut tries = Tries::of(members, 3 * SECOND);
        let failure = Failure::new(reason, "");
        let (mut count, mut time) = (1, took);
        while let Some(pause) = tries.after(&failure, took) {
            count += 1;
            time += pause + took;
        }
        (count, time)
    }

    #[test]
    fn members_that_do_not_answer_have_one_try_each() {
        for (members, expected) in [(1, 2), (2, 2), (3, 3), (5, 5), (9, 5)] {
            assert_eq!(count(members, Reason::Member, 3 * SECOND).0, expected);
            assert_eq!(
                count(members, Reason::Credentials, Duration::ZERO).0,
                expected
            );
        }
    }

    #[test]
    fn members_that_refuse_are_asked_again_for_as_long_as_a_request_may_take() {
        for members in [1, 3, 9] {
            let (tries, time) = count(members, Reason::Member, Duration::from_millis(1));
            assert!((18..90).contains(&tries), "{tries}");
            assert!(time > 2 * SECOND && time < 4 * SECOND, "{time:?}");
        }
    }

    #[test]
    fn what_no_member_will_do_is_tried_once() {
        for reason in [
            Reason::Space,
            Reason::Refused,
            Reason::Lease,
            Reason::History,
        ] {
            assert_eq!(count(3, reason, Duration::ZERO).0, 1);
        }
    }
}
