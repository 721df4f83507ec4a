use std::time::Duration;

/// A histogram of call durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencyHistogram {
    /// Calls per bucket, not cumulative. Bucket `i` has the calls that took longer than the previous bound and at most
    /// [`BOUNDS`](Self::BOUNDS)`[i]`; the last bucket has the calls that took longer than the last bound.
    pub buckets: [u64; Self::BUCKETS],
    /// The sum of all durations.
    pub sum: Duration,
}

impl LatencyHistogram {
    /// The upper bounds of the buckets.
    ///
    /// From 5 ms on they are the bounds that OpenTelemetry's conventions advise for `rpc.client.call.duration` and
    /// `rpc.server.call.duration` (<https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/>), so that existing
    /// dashboards work. The six smaller bounds are for calls in a fast network.
    pub const BOUNDS: [Duration; 20] = [
        Duration::from_micros(50),
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(75),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_millis(750),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(5),
        Duration::from_millis(7_500),
        Duration::from_secs(10),
    ];

    /// The number of buckets.
    pub const BUCKETS: usize = Self::BOUNDS.len() + 1;

    /// The number of calls in all buckets.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The index of the bucket for this duration.
    pub fn bucket_of(time: Duration) -> usize {
        Self::BOUNDS.partition_point(|bound| *bound < time)
    }

    /// Counts a call of this duration.
    pub fn record(&mut self, time: Duration) {
        self.buckets[Self::bucket_of(time)] += 1;
        self.sum = self.sum.saturating_add(time);
    }

    /// Adds the calls of another histogram.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::LatencyHistogram;

    #[test]
    fn a_time_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let mut latency = LatencyHistogram::default();
        let times = [
            (Duration::ZERO, 0),
            (Duration::from_micros(50), 0),
            (Duration::from_nanos(50_001), 1),
            (Duration::from_millis(5), 6),
            (Duration::from_secs(10), 19),
            (Duration::from_secs(11), 20),
        ];
        for (time, bucket) in times {
            let before = latency.buckets[bucket];
            latency.record(time);
            assert_eq!(latency.buckets[bucket], before + 1, "{time:?}");
        }
        assert_eq!(latency.count(), times.len() as u64);
        assert!(LatencyHistogram::BOUNDS.is_sorted());
        let mut sum = latency;
        sum.add(&latency);
        assert_eq!(sum.count(), 2 * latency.count());
        assert_eq!(sum.sum, 2 * latency.sum);
    }
}
