//! The comparisons of gRFC A50, without the bookkeeping around them.

use super::{FailurePercentage, SuccessRate, endpoint::Counts};

/// An endpoint's share in an interval.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// Its place in the list.
    pub(super) endpoint: usize,
    pub(super) counts: Counts,
}

impl Share {
    fn requests(&self) -> u64 {
        u64::from(self.counts.succeeded) + u64::from(self.counts.failed)
    }

    /// From 0 to 1; of no requests, 1.
    fn success_rate(&self) -> f64 {
        match self.requests() {
            0 => 1.0,
            requests => f64::from(self.counts.succeeded) / requests as f64,
        }
    }
}

impl SuccessRate {
    /// Endpoints that stand out, the worst first.
    pub(super) fn outliers(&self, shares: &[Share]) -> Vec<usize> {
        let compared = busy(shares, self.min_requests, self.min_endpoints);
        let rates: Vec<_> = compared.iter().map(Share::success_rate).collect();
        let (mean, stdev) = mean_and_stdev(&rates);
        let threshold = mean - self.stdev_factor * stdev;
        worst_first(compared, |share| share.success_rate() < threshold)
    }
}

impl FailurePercentage {
    /// Endpoints that fail too much, the worst first.
    pub(super) fn outliers(&self, shares: &[Share]) -> Vec<usize> {
        let compared = busy(shares, self.min_requests, self.min_endpoints);
        worst_first(compared, |share| {
            let failed = u64::from(share.counts.failed) * 100;
            failed > share.requests() * u64::from(self.threshold)
        })
    }
}

/// Those with enough requests, if there are enough of them.
fn busy(shares: &[Share], min_requests: u32, min_endpoints: usize) -> Vec<Share> {
    let mut busy = shares.to_vec();
    busy.retain(|share| share.requests() >= u64::from(min_requests));
    if busy.len() < min_endpoints {
        busy.clear();
    }
    busy
}

/// When the cap leaves no room for all, it is the worst that go. A50 leaves the order open.
fn worst_first(mut shares: Vec<Share>, stands_out: impl Fn(&Share) -> bool) -> Vec<usize> {
    shares.retain(stands_out);
    shares.sort_by(|a, b| a.success_rate().total_cmp(&b.success_rate()));
    shares.iter().map(|share| share.endpoint).collect()
}

/// The standard deviation is that of the whole population, as A50 has it.
fn mean_and_stdev(rates: &[f64]) -> (f64, f64) {
    let count = rates.len().max(1) as f64;
    let mean = rates.iter().sum::<f64>() / count;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::{FailurePercentage, Share, SuccessRate, mean_and_stdev};
    use crate::health::endpoint::Counts;

    /// Endpoints with so many calls each, and so many failures among them.
    fn shares(calls: &[(u32, u32)]) -> Vec<Share> {
        calls
            .iter()
            .enumerate()
            .map(|(endpoint, (requests, failed))| Share {
                endpoint,
                counts: Counts {
                    succeeded: requests - failed,
                    failed: *failed,
                },
            })
            .collect()
    }

    /// Computed by hand: nine at 100 %, one at 50 %: mean 95 %, standard deviation sqrt((9 × 5² + 45²) / 10) = 15 %,
    /// and so a threshold of 95 % − 1.9 × 15 % = 66.5 %.
    #[test]
    fn the_threshold_is_that_of_a50() {
        let mut rates = [1.0; 10];
        rates[3] = 0.5;
        let (mean, stdev) = mean_and_stdev(&rates);
        assert!((mean - 0.95).abs() < 1e-12 && (stdev - 0.15).abs() < 1e-12);

        let mut calls = [(1000, 0); 10];
        calls[3] = (1000, 500);
        assert_eq!(SuccessRate::default().outliers(&shares(&calls)), [3]);
        // 50 % is 3 deviations away.
        for (stdev_factor, expected) in [(2.9, &[3][..]), (3.1, &[])] {
            let config = SuccessRate {
                stdev_factor,
                ..SuccessRate::default()
            };
            assert_eq!(config.outliers(&shares(&calls)), expected, "{stdev_factor}");
        }
    }

    #[test]
    fn only_what_stands_out_among_enough_is_an_outlier() {
        for (calls, expected, why) in [
            (vec![], &[][..], "nobody"),
            (vec![(100, 0); 10], &[], "all well"),
            (vec![(100, 100); 10], &[], "all the same"),
            (
                vec![(1000, 333); 10],
                &[],
                "all the same, and no round number",
            ),
            (
                [vec![(100, 0); 5], vec![(100, 50)]].concat(),
                &[5],
                "one of six",
            ),
            (
                [vec![(100, 0); 4], vec![(100, 100)]].concat(),
                &[4],
                "one of five is 2 deviations away",
            ),
            (
                [vec![(100, 0); 3], vec![(100, 100)]].concat(),
                &[],
                "too few endpoints",
            ),
            (
                [vec![(100, 0); 9], vec![(99, 99)]].concat(),
                &[],
                "too few requests of the bad one",
            ),
            (
                [vec![(99, 0); 9], vec![(100, 99)]].concat(),
                &[],
                "too few requests of the others",
            ),
            (
                [vec![(100, 0); 18], vec![(100, 80), (100, 90)]].concat(),
                &[19, 18],
                "the worst first",
            ),
        ] {
            assert_eq!(
                SuccessRate::default().outliers(&shares(&calls)),
                expected,
                "{why}"
            );
        }
    }

    #[test]
    fn a_failure_percentage_is_exceeded_not_reached() {
        for (calls, expected, why) in [
            (
                [vec![(100, 0); 4], vec![(100, 85)]].concat(),
                &[][..],
                "85 %",
            ),
            ([vec![(100, 0); 4], vec![(100, 86)]].concat(), &[4], "86 %"),
            (vec![(100, 100); 5], &[0, 1, 2, 3, 4], "all of them"),
            (
                [vec![(100, 0); 3], vec![(100, 86)]].concat(),
                &[],
                "too few endpoints",
            ),
            (
                [vec![(50, 0); 4], vec![(49, 49)]].concat(),
                &[],
                "too few requests",
            ),
            (
                [vec![(50, 0); 4], vec![(50, 50)]].concat(),
                &[4],
                "just enough requests",
            ),
        ] {
            assert_eq!(
                FailurePercentage::default().outliers(&shares(&calls)),
                expected,
                "{why}"
            );
        }
    }
}
