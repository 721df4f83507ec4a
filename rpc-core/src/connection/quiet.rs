use std::time::Duration;

use tokio::time::Instant;

use crate::Deadline;

/// Watches for a peer that is gone without a word: pings when nothing was heard for long, and gives up when nothing
/// is heard after that either.
#[derive(Debug)]
pub(super) struct Quiet {
    heard: Instant,
    pinged: Option<Instant>,
    after: Duration,
    timeout: Duration,
    /// Pings that the peer has not answered yet.
    unanswered: u32,
}

/// However short the quiet is that asks for a ping, a peer gets ten a second at most: what its limits let it have by
/// default, for as long as the connection lasts.
const LEAST_QUIET: Duration = Duration::from_millis(100);

/// What the quiet asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hush {
    /// Nothing before this moment.
    Until(Instant),
    /// A ping now, and then nothing before this moment.
    Ping(Instant),
    /// The peer is gone.
    Dead,
}

impl Quiet {
    pub(super) fn new(after: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            heard: now,
            pinged: None,
            after: after.max(LEAST_QUIET),
            timeout,
            unanswered: 0,
        }
    }

    /// Something was heard.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    /// Takes a pong in. Whether it answers a ping.
    pub(super) fn answered(&mut self) -> bool {
        let is_due = self.unanswered > 0;
        self.unanswered -= u32::from(is_due);
        is_due
    }

    /// The moment at which [`tick`](Self::tick) has something to do.
    pub(super) fn next(&self) -> Instant {
        match self.pinged {
            Some(pinged) => Deadline::new(pinged, self.timeout).instant(),
            None => Deadline::new(self.heard, self.after).instant(),
        }
    }

    pub(super) fn tick(&mut self, now: Instant) -> Hush {
        if now < self.next() {
            return Hush::Until(self.next());
        }
        if self.pinged.is_some() {
            return Hush::Dead;
        }
        self.pinged = Some(now);
        self.unanswered = self.unanswered.saturating_add(1);
        Hush::Ping(self.next())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Hush, Quiet};

    #[test]
    fn a_ping_comes_after_the_quiet_and_the_end_after_the_ping() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut quiet = Quiet::new(Duration::from_secs(20), Duration::from_secs(10), start);
        assert_eq!(quiet.tick(at(19)), Hush::Until(at(20)));
        assert_eq!(quiet.tick(at(20)), Hush::Ping(at(30)));
        assert_eq!(quiet.tick(at(29)), Hush::Until(at(30)));
        quiet.heard(at(29));
        assert_eq!(quiet.tick(at(48)), Hush::Until(at(49)));
        assert_eq!(quiet.tick(at(50)), Hush::Ping(at(60)));
        assert_eq!(quiet.tick(at(60)), Hush::Dead);
    }

    #[test]
    fn a_peer_answers_each_ping_once() {
        let start = Instant::now();
        let mut quiet = Quiet::new(Duration::ZERO, Duration::from_secs(10), start);
        assert!(!quiet.answered(), "nobody asked");
        let soon = start + Duration::from_millis(100);
        assert_eq!(quiet.tick(start), Hush::Until(soon));
        assert!(matches!(quiet.tick(soon), Hush::Ping(_)));
        quiet.heard(soon);
        assert!(quiet.answered());
        assert!(!quiet.answered());
    }
}
