//! How long work in a server elsewhere pauses after a failure.

use std::time::Duration;

use doge_base::{Backoff, Env, Pauses};

const FIRST: Duration = Duration::from_millis(500);

/// For what this process writes: up to 0.5 s, growing to 15 s; no longer than half of the time to live, so that all is
/// whole within that once etcd is back.
pub(crate) fn of_provider(ttl: Duration, env: &Env) -> Pauses {
    Pauses::new(spread(within(ttl, Duration::from_secs(15))), env.clone())
}

/// For one key that is refused and harms no other: up to 0.5 s, growing to the time to live.
#[cfg(feature = "etcd")]
pub(crate) fn of_key(ttl: Duration, env: &Env) -> Pauses {
    Pauses::new(spread(ttl.max(FIRST)), env.clone())
}

/// For what is shown of one registry in another: up to 0.5 s, growing to 10 s.
#[cfg(feature = "etcd-v2")]
pub(crate) fn of_bridge(env: &Env) -> Pauses {
    Pauses::new(spread(Duration::from_secs(10)), env.clone())
}

/// For what this process reads: 0.5 s growing to 10 s, ±50 %; no longer than three quarters of the time to live.
pub(crate) fn of_consumer(ttl: Duration, env: &Env) -> Pauses {
    let backoff = Backoff {
        first: FIRST,
        longest: within(ttl, Duration::from_secs(10)),
        factor: 2.0,
        jitter: 0.5,
    };
    Pauses::new(backoff, env.clone())
}

/// From a tenth of a bound to the whole of it, where the bound doubles from 0.5 s to `most`: spread as widely as with AWS's
/// full jitter, and never nothing, because a loop without a pause is worse than the crowd.
fn spread(most: Duration) -> Backoff {
    Backoff {
        first: FIRST.mul_f64(0.55),
        longest: most.mul_f64(0.55),
        factor: 2.0,
        jitter: 0.45 / 0.55,
    }
}

fn within(ttl: Duration, longest: Duration) -> Duration {
    longest.min((ttl / 2).max(FIRST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pause_outlasts_the_time_to_live() {
        let ttl = Duration::from_secs(2);
        let env = Env::seeded(1);
        for mut pauses in [of_provider(ttl, &env), of_consumer(ttl, &env)] {
            assert!((0..100).all(|_| pauses.failed() < ttl));
        }
    }

    #[test]
    fn pauses_grow_to_their_bound_and_stay_within() {
        let ttl = Duration::from_secs(60);
        for seed in 0..50 {
            let env = Env::seeded(seed);
            let (mut provider, mut consumer) = (of_provider(ttl, &env), of_consumer(ttl, &env));
            let mut whole = FIRST;
            for _ in 0..10 {
                let (pause, most) = (provider.failed(), whole.min(Duration::from_secs(15)));
                assert!(pause >= most.mul_f64(0.099) && pause <= most);
                let (pause, usual) = (consumer.failed(), whole.min(Duration::from_secs(10)));
                assert!(pause >= usual / 2 && pause <= usual * 3 / 2);
                whole *= 2;
            }
            consumer.succeeded();
            assert!(consumer.failed() <= FIRST * 3 / 2);
        }
    }
}
