use std::{collections::VecDeque, time::Duration};

use doge_rpc_core::Deadline;
use tokio::time::Instant;

/// Connections that no call uses. The one that was used last is used next, so that those that are not needed any more
/// are the ones that grow old.
#[derive(Debug)]
pub(super) struct Idle<T> {
    /// Since when, the longest first.
    rested: VecDeque<(Instant, T)>,
    /// How long one is kept.
    limit: Duration,
}

impl<T> Idle<T> {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            rested: VecDeque::new(),
            limit,
        }
    }

    pub(super) fn push(&mut self, connection: T, now: Instant) {
        self.rested.push_back((now, connection));
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let (_, connection) = self.rested.pop_back()?;
        Some(connection)
    }

    /// Takes out the one that has rested longest.
    pub(super) fn pop_oldest(&mut self) -> Option<T> {
        let (_, connection) = self.rested.pop_front()?;
        Some(connection)
    }

    /// Takes out those that are like this.
    pub(super) fn take_like(&mut self, like: impl Fn(&T) -> bool) -> Vec<T> {
        let (taken, rested) = self.rested.drain(..).partition(|(_, it)| like(it));
        self.rested = rested;
        let taken: VecDeque<_> = taken;
        taken.into_iter().map(|(_, it)| it).collect()
    }

    /// Takes out all.
    pub(super) fn take(&mut self) -> Vec<T> {
        self.rested.drain(..).map(|(_, it)| it).collect()
    }

    /// Takes out those that are too old, and says when to come again: nothing is too old before that.
    pub(super) fn expire(&mut self, now: Instant) -> (Vec<T>, Instant) {
        let due = |since| Deadline::new(since, self.limit).instant();
        let old = self.rested.partition_point(|(since, _)| due(*since) <= now);
        let next = due(self.rested.get(old).map_or(now, |(since, _)| *since));
        (self.rested.drain(..old).map(|(_, it)| it).collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Idle;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_one_that_was_used_last_is_used_next() {
        let (mut idle, now) = (Idle::new(SECOND), Instant::now());
        for name in ["a", "b", "c"] {
            idle.push(name, now);
        }
        assert_eq!(idle.pop(), Some("c"));
        idle.push("d", now);
        assert_eq!((idle.pop(), idle.pop()), (Some("d"), Some("b")));
        for name in ["e", "f", "g"] {
            idle.push(name, now);
        }
        assert_eq!(idle.pop_oldest(), Some("a"));
        assert_eq!(idle.take_like(|it| *it != "f"), ["e", "g"]);
        assert_eq!(idle.take(), ["f"]);
        assert_eq!(idle.pop(), None);
    }

    #[test]
    fn the_oldest_expire_first_and_it_is_known_when() {
        let (mut idle, start) = (Idle::new(3 * SECOND), Instant::now());
        assert_eq!(idle.expire(start), (vec![], start + 3 * SECOND));
        idle.push("a", start);
        idle.push("b", start + SECOND);
        idle.push("c", start + 2 * SECOND);
        assert_eq!(
            idle.expire(start + 2 * SECOND),
            (vec![], start + 3 * SECOND)
        );
        let (old, next) = idle.expire(start + 4 * SECOND);
        assert_eq!((old, next), (vec!["a", "b"], start + 5 * SECOND));
        let (old, next) = idle.expire(start + 60 * SECOND);
        assert_eq!((old, next), (vec!["c"], start + 63 * SECOND));
    }

    #[test]
    fn a_limit_without_end_never_comes() {
        let (mut idle, now) = (Idle::new(Duration::MAX), Instant::now());
        idle.push("a", now);
        let (old, next) = idle.expire(now + 3600 * SECOND);
        assert!(old.is_empty() && next > now + 3600 * SECOND);
    }
}
