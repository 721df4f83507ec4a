use std::{collections::VecDeque, time::Duration};

/// How long a call waits for an answer on a connection that has not brought one yet before it asks for the turn of
/// another connection; a quarter of its time if that is less. After that, twice as long each time: the server may have
/// taken the connection of another client.
const PATIENCE: Duration = Duration::from_millis(100);

/// Calls on connections that the server may not serve yet, in the order in which they asked.
///
/// A server that serves a limited number of connections at once, such as Python doge with `limitConn`, lets the system
/// accept further ones, and takes the next of them when one that it serves is closed. So for each of these calls one
/// connection is closed instead of kept for another call.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    asking: VecDeque<u64>,
    last: u64,
}

impl Unserved {
    /// How long a call with so much time waits before it asks.
    pub(super) fn patience(time: Duration) -> Duration {
        PATIENCE.min(time / 4)
    }

    /// A call asks for the turn of another connection; the number that it is known by.
    pub(super) fn ask(&mut self) -> u64 {
        self.last += 1;
        self.asking.push_back(self.last);
        self.last
    }

    /// Whether a call that has asked has had no turn yet.
    pub(super) fn is_asking(&self, number: u64) -> bool {
        self.asking.contains(&number)
    }

    /// Whether a connection that is free should be closed for one of these calls, which then asks no more.
    pub(super) fn takes_turn(&mut self) -> bool {
        self.asking.pop_front().is_some()
    }

    /// The call is over.
    pub(super) fn leave(&mut self, number: u64) {
        self.asking.retain(|asking| *asking != number);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PATIENCE, Unserved};

    #[test]
    fn there_is_one_turn_for_each_call_that_still_asks() {
        let mut unserved = Unserved::default();
        assert!(!unserved.takes_turn());
        let (first, second) = (unserved.ask(), unserved.ask());
        unserved.ask();
        unserved.leave(second);
        assert!(unserved.takes_turn());
        assert!(!unserved.is_asking(first) && !unserved.is_asking(second));
        unserved.leave(first);
        assert!(unserved.takes_turn());
        assert!(!unserved.takes_turn());
    }

    #[test]
    fn a_call_with_little_time_asks_sooner() {
        let ms = Duration::from_millis;
        assert_eq!(Unserved::patience(ms(1000)), PATIENCE);
        assert_eq!(Unserved::patience(ms(100)), ms(25));
    }
}
