use std::time::Duration;

/// Pauses between failed attempts to connect: 0.1 s, then 1.6 times as long each time, up to 30 s, each varied by a
/// fifth either way so that clients of a server that comes back do not come all at once. The growth and the jitter
/// are those of gRPC's connection backoff; the start is shorter.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::Backoff;
///
/// let backoff = Backoff { longest: Duration::from_secs(5), ..Backoff::default() };
/// assert_eq!(backoff.first, Duration::from_millis(100));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The first pause.
    pub first: Duration,
    /// The longest pause, before jitter.
    pub longest: Duration,
    /// How much longer each pause is than the one before.
    pub factor: f64,
    /// The part of a pause by which it varies, either way.
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
    /// The pause after so many failures in a row; `random` is from 0 to 1.
    pub(super) fn pause(&self, failures: u32, random: f64) -> Duration {
        let exponent = i32::try_from(failures.saturating_sub(1)).unwrap_or(i32::MAX);
        let grown = self.first.as_secs_f64() * self.factor.powi(exponent);
        let pause = grown.min(self.longest.as_secs_f64());
        let varied = pause * (1.0 + self.jitter * (2.0 * random - 1.0));
        Duration::try_from_secs_f64(varied).unwrap_or(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn pauses_grow_to_the_longest_and_vary_by_a_fifth() {
        let backoff = Backoff::default();
        assert_eq!(backoff.pause(1, 0.5), Duration::from_millis(100));
        assert_eq!(backoff.pause(2, 0.5), Duration::from_millis(160));
        assert_eq!(backoff.pause(1, 0.0), Duration::from_millis(80));
        assert_eq!(backoff.pause(1, 1.0), Duration::from_millis(120));
        assert_eq!(backoff.pause(50, 0.5), Duration::from_secs(30));
        assert_eq!(backoff.pause(u32::MAX, 1.0), Duration::from_secs(36));
    }
}
