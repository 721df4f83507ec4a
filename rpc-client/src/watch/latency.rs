use std::time::Duration;

use super::striped::Striped;

/// How long calls took, in buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallLatencies {
    /// For each of [`BOUNDS`](Self::BOUNDS), how many calls took no longer than that and longer than the bound before;
    /// behind them, how many took longer than the last.
    pub buckets: [u64; BUCKETS],
    /// The time of all calls together.
    pub sum: Duration,
}

const BUCKETS: usize = CallLatencies::BOUNDS.len() + 1;

impl CallLatencies {
    /// The upper bounds of the buckets: from 5 ms on those that OpenTelemetry advises for `rpc.client.call.duration`, and
    /// shorter ones, since a call in a data centre takes less.
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

    /// How many calls there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

/// Counts how long calls take.
#[derive(Debug)]
pub(super) struct LatencyCounters(Striped<{ BUCKETS + 1 }>);

/// Behind the buckets, the nanoseconds of all calls.
const NANOS: usize = BUCKETS;

impl LatencyCounters {
    pub(super) fn new() -> Self {
        Self(Striped::new())
    }

    pub(super) fn record(&self, elapsed: Duration) {
        let bucket = CallLatencies::BOUNDS.partition_point(|bound| *bound < elapsed);
        self.0.count(bucket);
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.0.add(NANOS, nanos);
    }

    pub(super) fn read(&self) -> CallLatencies {
        CallLatencies {
            buckets: std::array::from_fn(|bucket| self.0.sum(bucket)),
            sum: Duration::from_nanos(self.0.sum(NANOS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{CallLatencies, LatencyCounters};

    #[test]
    fn a_time_is_in_the_bucket_of_the_first_bound_that_it_does_not_exceed() {
        assert!(CallLatencies::BOUNDS.is_sorted());
        let times = LatencyCounters::new();
        for bound in CallLatencies::BOUNDS {
            times.record(bound);
            times.record(bound + Duration::from_nanos(1));
        }
        let read = times.read();
        assert_eq!((read.buckets[0], read.buckets[20]), (1, 1));
        assert!(read.buckets[1..20].iter().all(|count| *count == 2));
        assert_eq!(read.count(), 40);
        let sum: Duration = CallLatencies::BOUNDS.iter().sum();
        assert_eq!(read.sum, 2 * sum + Duration::from_nanos(20));
    }
}
