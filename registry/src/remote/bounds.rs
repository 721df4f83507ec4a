use std::time::Duration;

/// The longest that an instance stays registered after its process died.
pub(crate) const LONGEST_TTL: Duration = Duration::from_secs(60 * 60);
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(10);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A time to live as etcd takes it: in whole seconds, the next ones up, from one to an hour.
pub(crate) fn ttl(ttl: Duration) -> Duration {
    let whole = Duration::from_secs(ttl.as_secs() + u64::from(ttl.subsec_nanos() > 0));
    whole.clamp(Duration::from_secs(1), LONGEST_TTL)
}

/// How long something may take that is awaited from one member: from 10 ms to a minute.
pub(crate) fn timeout(timeout: Duration) -> Duration {
    timeout.clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
}

/// How long a watch may be silent, at most as long as `longest`: from 100 ms on.
pub(crate) fn silence(limit: Duration, longest: Duration) -> Duration {
    limit.clamp(SHORTEST_TIMEOUT * 10, longest)
}
