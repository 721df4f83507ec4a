use doge_base::Env;
use tokio::time::Instant;

/// Milliseconds since the start of the environment: a moment that fits into an atomic.
#[inline]
pub(super) fn millis(env: &Env, now: Instant) -> u64 {
    let age = env.age(now);
    age.as_secs() * 1000 + u64::from(age.subsec_millis())
}
