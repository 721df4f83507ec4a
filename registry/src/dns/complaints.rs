use std::time::Duration;

use tokio::time::Instant;

/// The time between two warnings of the same trouble.
const PAUSE: Duration = Duration::from_secs(300);

/// Trouble that may last: a warning at its beginning, and from time to time while it lasts.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    warned: Option<Instant>,
}

impl Complaints {
    /// Notes trouble; true when it is time for a warning.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.warned.is_none_or(|at| now >= at + PAUSE);
        if due {
            self.warned = Some(now);
        }
        due
    }

    /// Notes that all is well; true for the first time after trouble.
    pub(super) fn ends(&mut self) -> bool {
        self.warned.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told_at_once_and_from_time_to_time() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        assert!(!complaints.ends());
        assert!(complaints.is_due(start));
        assert!(!complaints.is_due(start + PAUSE / 2));
        assert!(complaints.is_due(start + PAUSE));
        assert!(!complaints.is_due(start + PAUSE));
        assert!(complaints.ends() && !complaints.ends());
        assert!(complaints.is_due(start + PAUSE));
    }
}
