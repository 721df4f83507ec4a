use std::sync::OnceLock;

use tokio::time::Instant;

/// Milliseconds since the first moment that this process asked about: a moment that fits into an atomic.
pub(super) fn millis(now: Instant) -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    let since = now.saturating_duration_since(*FIRST.get_or_init(|| now));
    since.as_secs() * 1000 + u64::from(since.subsec_millis())
}
