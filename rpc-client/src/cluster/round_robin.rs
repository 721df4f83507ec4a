use std::sync::atomic::{AtomicUsize, Ordering};

/// Endpoints in turn.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    next: AtomicUsize,
}

impl RoundRobin {
    /// All of `count` endpoints, each once, from the one whose turn it is.
    pub(super) fn next(&self, count: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let first = if count == 0 {
            0
        } else {
            self.next.fetch_add(1, Ordering::Relaxed) % count
        };
        (first..count).chain(0..first)
    }
}

#[cfg(test)]
mod tests {
    use super::RoundRobin;

    #[test]
    fn each_is_first_in_turn_and_all_follow() {
        let turn = RoundRobin::default();
        assert_eq!(turn.next(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(turn.next(3).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(turn.next(3).collect::<Vec<_>>(), [2, 0, 1]);
        assert_eq!(turn.next(3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(turn.next(0).count(), 0);
    }
}
