use std::time::Duration;

use crate::Env;

/// Pauses between failed attempts: 0.1 s, then 1.6 times as long each time, up to 30 s, each varied by a fifth either
/// way so that clients of a server that comes back do not come all at once. The growth and the jitter are those of
/// [gRPC's connection backoff](https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md); the start is
/// shorter.
///
/// ```
/// use std::time::Duration;
///
/// use doge_base::{Backoff, Env};
///
/// let backoff = Backoff { longest: Duration::from_secs(5), jitter: 0.0, ..Backoff::default() };
/// assert_eq!(backoff.pause(1, &Env::system()), Duration::from_millis(100));
/// assert_eq!(backoff.pause(2, &Env::system()), Duration::from_millis(160));
/// assert_eq!(backoff.pause(99, &Env::system()), Duration::from_secs(5));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The first pause.
    pub first: Duration,
    /// The longest pause, before jitter.
    pub longest: Duration,
    /// How much longer each pause is than the one before.
    pub factor: f64,
    /// The part of a pause by which it varies, either way. 1 is what AWS calls full jitter, with twice the mean.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(30),
            factor: 1.6,
            jitter: 0.2,
        }
    }
}

impl Backoff {
    /// Pauses that double, and vary by any part up to `most`: AWS's
    /// [full jitter](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), with bounds that grow
    /// from `first` to `most`.
    #[must_use]
    pub fn full_jitter(first: Duration, most: Duration) -> Self {
        Self {
            first: first / 2,
            longest: most / 2,
            factor: 2.0,
            jitter: 1.0,
        }
    }

    /// The pause after this many failures in a row.
    #[must_use]
    pub fn pause(&self, failures: u32, env: &Env) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.powi(exponent);
        let pause = grown.min(self.longest.as_secs_f64());
        let varied = pause * (1.0 + self.jitter * (2.0 * env.fraction() - 1.0));
        Duration::try_from_secs_f64(varied).unwrap_or(self.longest)
    }
}

/// The pauses of one party that tries again and again: it counts the failures since the last success.
///
/// ```
/// use doge_base::{Backoff, Env, Pauses};
///
/// let mut pauses = Pauses::new(Backoff { jitter: 0.0, ..Backoff::default() }, Env::system());
/// let first = pauses.failed();
/// assert!(pauses.failed() > first);
/// pauses.succeeded();
/// assert_eq!(pauses.failed(), first);
/// ```
#[derive(Clone, Debug)]
pub struct Pauses {
    backoff: Backoff,
    env: Env,
    failures: u32,
}

impl Pauses {
    /// No failure yet.
    #[must_use]
    pub fn new(backoff: Backoff, env: Env) -> Self {
        Self {
            backoff,
            env,
            failures: 0,
        }
    }

    /// Counts a failure, and returns the pause before the next attempt.
    pub fn failed(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.backoff.pause(self.failures, &self.env)
    }

    /// Forgets all failures: an attempt went well.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Pauses};
    use crate::Env;

    #[test]
    fn pauses_grow_to_the_longest_and_vary_by_a_fifth() {
        let backoff = Backoff::default();
        for (failures, usual) in [
            (1, 100),
            (2, 160),
            (3, 256),
            (50, 30_000),
            (u32::MAX, 30_000),
        ] {
            let usual = Duration::from_millis(usual);
            let env = Env::seeded(u64::from(failures));
            let pauses: Vec<_> = (0..1000).map(|_| backoff.pause(failures, &env)).collect();
            let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*least >= usual.mul_f64(0.8) && *least < usual.mul_f64(0.82));
            assert!(*most <= usual.mul_f64(1.2) && *most > usual.mul_f64(1.18));
        }
    }

    #[test]
    fn full_jitter_is_anything_up_to_a_bound_that_doubles() {
        let second = Duration::from_secs(1);
        let backoff = Backoff::full_jitter(second, 5 * second);
        let env = Env::seeded(1);
        for (failures, bound) in [(1, 1), (2, 2), (3, 4), (4, 5), (100, 5)] {
            let pauses: Vec<_> = (0..1000).map(|_| backoff.pause(failures, &env)).collect();
            let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*least < second / 50, "{least:?}");
            assert!(*most <= bound * second && *most > bound * second * 98 / 100);
        }
    }

    #[test]
    fn a_success_begins_anew() {
        let steady = Backoff {
            jitter: 0.0,
            ..Backoff::default()
        };
        let mut pauses = Pauses::new(steady, Env::system());
        let first = pauses.failed();
        assert!(pauses.failed() > first);
        pauses.succeeded();
        assert_eq!(pauses.failed(), first);
    }
}
