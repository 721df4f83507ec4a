//! Medians over rounds.

use crate::{Cell, Entry, Workload, measure::Sample, rounds::Measured};

/// All samples, to be asked for the middle of them.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'a> {
    /// The samples of the rounds.
    pub timed: &'a [Measured],
    /// The samples of the pass that counts allocations.
    pub counted: &'a [Measured],
}

/// Whose samples: of whom, in which cell, measured for which question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// What for.
    pub workload: Workload,
    /// Who.
    pub entry: Entry,
    /// What.
    pub cell: Cell,
}

impl Summary<'_> {
    /// The median of something over the rounds; `None` when all of them failed or had no calls.
    pub fn median(&self, key: Key, get: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(samples(self.timed, key).map(|(_, sample)| get(sample)))
    }

    /// Calls per second.
    pub fn rate(&self, key: Key) -> Option<f64> {
        self.median(key, Sample::rate)
    }

    /// Calls per second, where those of `base` in the same round are 1: the median of the ratios of each round.
    pub fn ratio(&self, key: Key, base: Key) -> Option<f64> {
        let ratios = samples(self.timed, base).flat_map(|(round, base)| {
            samples(self.timed, key)
                .filter(move |(own, _)| *own == round)
                .map(|(_, own)| own.rate() / base.rate())
        });
        median(ratios)
    }

    /// What was counted, by call.
    pub fn counted(&self, key: Key, get: impl Fn(&Sample) -> u64) -> Option<f64> {
        let counted = samples(self.counted, key);
        median(counted.map(|(_, sample)| get(sample) as f64 / sample.calls as f64))
    }
}

/// Rounds and samples of a key.
fn samples(all: &[Measured], key: Key) -> impl Iterator<Item = (usize, &Sample)> {
    let of_key = move |measured: &&Measured| {
        let Measured {
            workload,
            entry,
            cell,
            ..
        } = **measured;
        Key {
            workload,
            entry,
            cell,
        } == key
    };
    all.iter().filter(of_key).filter_map(with_calls)
}

/// The round and the sample, if any call was answered in it.
fn with_calls(measured: &Measured) -> Option<(usize, &Sample)> {
    let sample = measured.outcome.as_ref().ok()?;
    (sample.calls > 0).then_some((measured.round, sample))
}

/// The middle one, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Key, Summary, median};
    use crate::{Allocated, Cell, Entry, Usage, Work, Workload, measure::Sample, rounds::Measured};

    const NOTHING: Usage = Usage {
        cpu: Duration::ZERO,
        allocated: Allocated { times: 0, bytes: 0 },
    };

    fn key(entry: Entry) -> Key {
        Key {
            workload: Workload::Closed,
            entry,
            cell: Cell::small(Work::Closed, 16),
        }
    }

    fn measured(entry: Entry, round: usize, calls: Result<u64, &str>) -> Measured {
        let sample = |calls| Sample {
            calls,
            lost: 0,
            elapsed: Duration::from_secs(2),
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            p999: Duration::ZERO,
            client: NOTHING,
            server: NOTHING,
        };
        let Key { workload, cell, .. } = key(entry);
        Measured {
            workload,
            entry,
            cell,
            round,
            outcome: calls.map(sample).map_err(String::from),
        }
    }

    #[test]
    fn a_ratio_is_that_of_the_same_round() {
        let timed = [
            measured(Entry::Doge, 0, Ok(10)),
            measured(Entry::Echo, 0, Ok(100)),
            measured(Entry::Doge, 1, Ok(60)),
            measured(Entry::Echo, 1, Ok(200)),
            measured(Entry::Doge, 2, Ok(20)),
            measured(Entry::Echo, 2, Ok(40)),
        ];
        let summary = Summary {
            timed: &timed,
            counted: &[],
        };
        let (own, echo) = (key(Entry::Doge), key(Entry::Echo));
        assert_eq!(summary.ratio(own, echo), Some(0.3));
        assert_eq!(summary.rate(own), Some(10.0));
    }

    #[test]
    fn rounds_without_calls_do_not_count() {
        let timed = [
            measured(Entry::Doge, 0, Err("failed")),
            measured(Entry::Doge, 1, Ok(0)),
            measured(Entry::Doge, 2, Ok(20)),
            measured(Entry::Echo, 0, Err("failed")),
        ];
        let summary = Summary {
            timed: &timed,
            counted: &[],
        };
        assert_eq!(summary.rate(key(Entry::Doge)), Some(10.0));
        assert_eq!(summary.rate(key(Entry::Echo)), None);
        assert_eq!(summary.ratio(key(Entry::Doge), key(Entry::Echo)), None);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }
}
