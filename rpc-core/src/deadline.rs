//! The moment by which a call has to end.

use std::time::Duration;

use tokio::time::Instant;

/// The moment by which a call has to end. Every call has one.
///
/// Between processes it travels as the time that is left, so that clocks need not agree.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_core::Deadline;
///
/// let around = Deadline::after(Duration::from_millis(300));
/// let own = Deadline::after(Deadline::DEFAULT_TIMEOUT);
/// assert_eq!(own.min(around), around);
/// assert!(around.remaining() <= Duration::from_millis(300));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// What a call gets unless somebody says otherwise.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

    /// So long from now. A time too far to be told is a century.
    pub fn after(timeout: Duration) -> Self {
        Self::new(Instant::now(), timeout)
    }

    /// So long from `now`.
    pub fn new(now: Instant, timeout: Duration) -> Self {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        Self(now + timeout.min(CENTURY))
    }

    /// At this moment.
    pub fn at(moment: Instant) -> Self {
        Self(moment)
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Time that is left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.0 <= Instant::now()
    }
}
