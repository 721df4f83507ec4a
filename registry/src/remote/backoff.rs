use std::time::Duration;

/// How long to wait before the next try: doubles from the shortest to the longest, with jitter so that those who
/// failed together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    shortest: Duration,
    longest: Duration,
    jitter: Jitter,
    next: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Jitter {
    /// Anything up to the whole, though not nothing.
    Full,
    /// The half to one and a half of it.
    Half,
}

impl Backoff {
    /// For what this process writes: 0.5 to 15 s, full jitter; no longer than half of the time to live, so that all is
    /// whole within that once etcd is back.
    pub(crate) fn provider(ttl: Duration) -> Self {
        Self::new(500, 15_000, Jitter::Full).within(ttl / 2)
    }

    /// For what this process reads: 0.5 to 10 s, ±50 %; no longer than three quarters of the time to live.
    pub(crate) fn consumer(ttl: Duration) -> Self {
        Self::new(500, 10_000, Jitter::Half).within(ttl / 2)
    }

    /// For what is shown of one registry in another: 0.5 to 10 s, full jitter.
    #[cfg(feature = "etcd-v2")]
    pub(crate) fn bridge() -> Self {
        Self::new(500, 10_000, Jitter::Full)
    }

    /// For a lease that lives on while another member is sought: 50 to 400 ms, ±50 %.
    #[cfg(feature = "etcd")]
    pub(crate) fn renewal() -> Self {
        Self::new(50, 400, Jitter::Half)
    }

    fn within(self, longest: Duration) -> Self {
        Self {
            longest: self.longest.min(longest.max(self.shortest)),
            ..self
        }
    }

    /// The time to wait after one more failure.
    pub(crate) fn pause(&mut self) -> Duration {
        let base = self.next;
        self.next = (base * 2).min(self.longest);
        match self.jitter {
            Jitter::Full => {
                let least = self.shortest / 10;
                least + (base - least).mul_f64(fastrand::f64())
            }
            Jitter::Half => base.mul_f64(0.5 + fastrand::f64()),
        }
    }

    /// Begins anew, because something went well.
    pub(crate) fn reset(&mut self) {
        self.next = self.shortest;
    }

    fn new(shortest: u64, longest: u64, jitter: Jitter) -> Self {
        let shortest = Duration::from_millis(shortest);
        Self {
            shortest,
            longest: Duration::from_millis(longest),
            jitter,
            next: shortest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(60);

    #[test]
    fn no_pause_outlasts_the_time_to_live() {
        fastrand::seed(1);
        let ttl = Duration::from_secs(2);
        for mut backoff in [Backoff::provider(ttl), Backoff::consumer(ttl)] {
            assert!((0..100).all(|_| backoff.pause() < ttl));
        }
    }

    #[test]
    fn pauses_grow_to_their_bound_and_stay_within() {
        for seed in 0..50 {
            fastrand::seed(seed);
            let (mut provider, mut consumer) = (Backoff::provider(TTL), Backoff::consumer(TTL));
            let mut whole = Duration::from_millis(500);
            for _ in 0..10 {
                let pause = provider.pause();
                assert!(
                    pause >= Duration::from_millis(50)
                        && pause <= whole.min(Duration::from_secs(15))
                );
                let (pause, whole10) = (consumer.pause(), whole.min(Duration::from_secs(10)));
                assert!(pause >= whole10 / 2 && pause <= whole10 * 3 / 2);
                whole *= 2;
            }
            consumer.reset();
            assert!(consumer.pause() <= Duration::from_millis(750));
        }
    }
}
