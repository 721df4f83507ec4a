use std::time::Duration;

use super::Failover;

impl Failover {
    /// The pause before a retry, the first of which is number 0; `random` is from 0 to 1. Exponential with full jitter,
    /// which spreads the retries of many callers best (AWS, "Exponential Backoff And Jitter").
    pub(super) fn pause(&self, retry: u32, random: f64) -> Duration {
        let doubled = 1_u32.checked_shl(retry).unwrap_or(u32::MAX);
        let longest = self
            .first_pause
            .saturating_mul(doubled)
            .min(self.longest_pause);
        Duration::try_from_secs_f64(longest.as_secs_f64() * random).unwrap_or(longest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Failover;

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_takes_a_part() {
        let failover = Failover::default();
        let longest = |retry| failover.pause(retry, 1.0).as_millis();
        let all: Vec<_> = (0..6).map(longest).collect();
        assert_eq!(all, [25, 50, 100, 200, 250, 250]);
        assert_eq!(longest(u32::MAX), 250);
        assert_eq!(failover.pause(2, 0.5), Duration::from_millis(50));
        assert_eq!(failover.pause(2, 0.0), Duration::ZERO);
        let endless = Failover {
            first_pause: Duration::MAX,
            longest_pause: Duration::from_secs(1),
            ..failover
        };
        assert_eq!(endless.pause(3, 1.0), Duration::from_secs(1));
        let endless = Failover {
            longest_pause: Duration::MAX,
            ..endless
        };
        assert_eq!(endless.pause(3, 1.0), Duration::MAX);
    }
}
