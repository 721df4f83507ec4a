use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// A rate limit for log lines: 10 per second. Counts the suppressed lines.
///
/// ```
/// use doge_rpc_core::observe::LogThrottle;
/// use tokio::time::Instant;
///
/// let (throttle, now) = (LogThrottle::default(), Instant::now());
/// let admitted = (0..11).filter(|_| throttle.admit(now).is_some());
/// assert_eq!(admitted.count(), 10);
/// ```
#[derive(Debug, Default)]
pub struct LogThrottle(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    began: Option<Instant>,
    lines: u32,
    suppressed: u64,
}

/// Lines per second: enough to see what fails, and cheap to write.
const LINES: u32 = 10;

impl LogThrottle {
    /// Admits a line, and returns how many lines were suppressed since the last one; `None` if this line is suppressed.
    pub fn admit(&self, now: Instant) -> Option<u64> {
        let mut second = self.0.lock();
        let is_over =
            |began: Instant| now.saturating_duration_since(began) >= Duration::from_secs(1);
        if second.began.is_none_or(is_over) {
            second.began = Some(now);
            second.lines = 0;
        }
        if second.lines == LINES {
            second.suppressed += 1;
            return None;
        }
        second.lines += 1;
        Some(std::mem::take(&mut second.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{LINES, LogThrottle};

    #[test]
    fn lines_over_the_bound_are_counted_and_told_with_the_next_line() {
        let (throttle, start) = (LogThrottle::default(), Instant::now());
        for _ in 0..LINES {
            assert_eq!(throttle.admit(start), Some(0));
        }
        let later = start + Duration::from_millis(999);
        for _ in 0..7 {
            assert_eq!(throttle.admit(later), None);
        }
        let next = start + Duration::from_secs(1);
        assert_eq!(throttle.admit(next), Some(7));
        assert_eq!(throttle.admit(next), Some(0));
    }
}
