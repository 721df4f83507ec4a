use std::time::Duration;

use doge_rpc_core::observe::LatencyHistogram;

use super::striped::Striped;

/// Counts durations of calls, striped by thread.
#[derive(Debug)]
pub(super) struct LatencyCounters(Striped<{ NANOS + 1 }>);

/// The counter after the buckets: the total nanoseconds of all calls.
const NANOS: usize = LatencyHistogram::BUCKETS;

impl LatencyCounters {
    pub(super) fn new() -> Self {
        Self(Striped::new())
    }

    pub(super) fn record(&self, elapsed: Duration) {
        self.0.add(LatencyHistogram::bucket_of(elapsed), 1);
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.0.add(NANOS, nanos);
    }

    pub(super) fn read(&self) -> LatencyHistogram {
        LatencyHistogram {
            buckets: std::array::from_fn(|bucket| self.0.sum(bucket)),
            sum: Duration::from_nanos(self.0.sum(NANOS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LatencyCounters, LatencyHistogram};

    #[test]
    fn a_time_is_in_the_bucket_of_the_first_bound_that_it_does_not_exceed() {
        assert!(LatencyHistogram::BOUNDS.is_sorted());
        let times = LatencyCounters::new();
        for bound in LatencyHistogram::BOUNDS {
            times.record(bound);
            times.record(bound + Duration::from_nanos(1));
        }
        let read = times.read();
        assert_eq!((read.buckets[0], read.buckets[20]), (1, 1));
        assert!(read.buckets[1..20].iter().all(|count| *count == 2));
        assert_eq!(read.count(), 40);
        let sum: Duration = LatencyHistogram::BOUNDS.iter().sum();
        assert_eq!(read.sum, 2 * sum + Duration::from_nanos(20));
    }
}
