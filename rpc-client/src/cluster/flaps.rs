use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Connections that broke off under calls, without an answer in between.
///
/// One that breaks off takes many calls with it, and still is one failure: that of a process that ended, which its
/// successor is not to blame for. An endpoint that breaks off again and again is another matter.
#[derive(Debug, Default)]
pub(super) struct ConnectionFlaps {
    /// The number of the connection that was lost last.
    last: AtomicU64,
    in_a_row: AtomicU32,
}

impl ConnectionFlaps {
    /// Counts the loss of the connection of this number. True for the first call that tells of it.
    pub(super) fn count(&self, connection: u64) -> bool {
        let first = self.last.fetch_max(connection, Ordering::Relaxed) < connection;
        if first {
            self.in_a_row.fetch_add(1, Ordering::Relaxed);
        }
        first
    }

    /// A call was answered.
    pub(super) fn forget(&self) {
        if self.in_a_row.load(Ordering::Relaxed) != 0 {
            self.in_a_row.store(0, Ordering::Relaxed);
        }
    }

    /// Whether there was more than the one that a restart costs.
    pub(super) fn is_flapping(&self) -> bool {
        self.in_a_row.load(Ordering::Relaxed) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::ConnectionFlaps;

    #[test]
    fn a_connection_is_lost_once_and_an_answer_ends_the_row() {
        let flaps = ConnectionFlaps::default();
        assert!(flaps.count(1));
        assert!(!flaps.count(1));
        assert!(!flaps.is_flapping());
        assert!(flaps.count(2));
        assert!(flaps.is_flapping());
        flaps.forget();
        assert!(!flaps.count(2));
        assert!(flaps.count(3));
        assert!(!flaps.is_flapping());
    }

    #[test]
    fn calls_from_before_and_after_a_connection_are_lost_with_it_once() {
        let flaps = ConnectionFlaps::default();
        let counted = [2, 1, 2, 1, 2]
            .into_iter()
            .filter(|it| flaps.count(*it))
            .count();
        assert_eq!((counted, flaps.is_flapping()), (1, false));
    }
}
