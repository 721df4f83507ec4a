use std::time::Duration;

use doge_base::Env;

/// How many members are waited for in vain at most, and how few.
const MOST_WAITS: usize = 5;
const FEWEST_WAITS: usize = 2;
/// The pause after all members have failed.
const PAUSE: Duration = Duration::from_millis(100);

/// What a failed try says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// It will fail wherever it is tried.
    Hopeless,
    /// It will fail with this member, and may go well with another.
    Elsewhere,
    /// It may go well with another member, or with this one a moment later.
    Soon,
}

/// Decides how often one request is tried.
///
/// Members that refuse at once are tried again for as long as the request timeout, because that is what those do
/// that elect a leader. Those that do not answer, or know no such user, have one try each.
#[derive(Debug)]
pub(crate) struct Tries {
    env: Env,
    request_timeout: Duration,
    members: usize,
    refusals: usize,
    /// Time that went by with refusals.
    refused: Duration,
    waits: usize,
}

impl Tries {
    pub(crate) fn new(members: usize, request_timeout: Duration, env: &Env) -> Self {
        Self {
            env: env.clone(),
            request_timeout,
            members,
            refusals: 0,
            refused: Duration::ZERO,
            waits: 0,
        }
    }

    /// How long to wait before the next try, after one that failed within `took`; none if there is to be none.
    pub(crate) fn after(&mut self, outlook: Outlook, took: Duration) -> Option<Duration> {
        if outlook == Outlook::Hopeless {
            return None;
        }
        if outlook == Outlook::Elsewhere || took > self.request_timeout / 2 {
            self.waits += 1;
            let most = self.members.clamp(FEWEST_WAITS, MOST_WAITS);
            return (self.waits < most).then_some(Duration::ZERO);
        }
        self.refusals += 1;
        // The first one of a single member may be that of a connection that broke long ago.
        let pause = if self.refusals < self.members.max(FEWEST_WAITS) {
            Duration::ZERO
        } else {
            self.env.jittered(PAUSE, 0.5)
        };
        self.refused += took + pause;
        (self.refused < self.request_timeout).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn count(members: usize, outlook: Outlook, took: Duration) -> (usize, Duration) {
        let mut tries = Tries::new(members, 3 * SECOND, &Env::seeded(1));
        let (mut count, mut time) = (1, took);
        while let Some(pause) = tries.after(outlook, took) {
            count += 1;
            time += pause + took;
        }
        (count, time)
    }

    #[test]
    fn members_that_do_not_answer_have_one_try_each() {
        for (members, expected) in [(1, 2), (2, 2), (3, 3), (5, 5), (9, 5)] {
            assert_eq!(count(members, Outlook::Soon, 3 * SECOND).0, expected);
            assert_eq!(
                count(members, Outlook::Elsewhere, Duration::ZERO).0,
                expected
            );
        }
    }

    #[test]
    fn members_that_refuse_are_asked_again_for_as_long_as_a_request_may_take() {
        for members in [1, 3, 9] {
            let (tries, time) = count(members, Outlook::Soon, Duration::from_millis(1));
            assert!((18..90).contains(&tries), "{tries}");
            assert!(time > 2 * SECOND && time < 4 * SECOND, "{time:?}");
        }
    }

    #[test]
    fn what_no_member_will_do_is_tried_once() {
        assert_eq!(count(3, Outlook::Hopeless, Duration::ZERO).0, 1);
    }
}
