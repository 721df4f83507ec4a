//! Medians over rounds.

use serde::Serialize;

use crate::{Cell, Entry, Plan, measure::Sample, rounds::Measured};

/// What a contender does in a cell: medians over rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What.
    pub cell: Cell,
    /// Who.
    pub entry: Entry,
    /// Calls per second.
    pub calls_per_second: f64,
    /// Calls per second, where those of [`Entry::Echo`] in the same round are 1.
    pub of_echo: Option<f64>,
    /// Latency that half of the calls were under, in microseconds.
    pub p50_micros: f64,
    /// Latency that 99 % of the calls were under, in microseconds.
    pub p99_micros: f64,
    /// Latency that 99.9 % of the calls were under, in microseconds.
    pub p999_micros: f64,
    /// What the calling process pays.
    pub client: Cost,
    /// What the serving process pays.
    pub server: Cost,
}

/// What one call costs a process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Processor time, in microseconds.
    pub cpu_micros: f64,
    /// Allocations.
    pub allocations: f64,
    /// Bytes allocated.
    pub bytes: f64,
}

/// One row for each contender in each cell. `timed` are the samples of the rounds, `counted` those of the pass that
/// counts allocations.
pub fn rows(plan: &Plan, timed: &[Measured], counted: &[Measured]) -> Vec<Row> {
    let each = plan
        .cells
        .iter()
        .flat_map(|&cell| plan.entries.iter().map(move |&entry| (cell, entry)));
    each.map(|(cell, entry)| row(cell, entry, timed, counted))
        .collect()
}

fn row(cell: Cell, entry: Entry, timed: &[Measured], counted: &[Measured]) -> Row {
    let samples = |of| {
        timed
            .iter()
            .filter(move |measured| measured.cell == cell && measured.entry == of)
    };
    let own =
        |get: &dyn Fn(&Sample) -> f64| median(samples(entry).map(|measured| get(&measured.sample)));
    let counted = counted
        .iter()
        .find(|measured| measured.cell == cell && measured.entry == entry);
    let counted = |get: &dyn Fn(&Sample) -> u64| {
        counted.map_or(f64::NAN, |Measured { sample, .. }| {
            get(sample) as f64 / sample.calls as f64
        })
    };
    let echoes = samples(Entry::Echo).map(|echo| (echo.round, rate(&echo.sample)));
    let ratios = echoes.flat_map(|(round, echo)| {
        samples(entry)
            .filter(move |own| own.round == round)
            .map(move |own| rate(&own.sample) / echo)
    });
    let of_echo = median(ratios);
    Row {
        cell,
        entry,
        calls_per_second: own(&rate),
        of_echo: (!of_echo.is_nan()).then_some(of_echo),
        p50_micros: own(&|sample| sample.p50.as_secs_f64() * 1e6),
        p99_micros: own(&|sample| sample.p99.as_secs_f64() * 1e6),
        p999_micros: own(&|sample| sample.p999.as_secs_f64() * 1e6),
        client: Cost {
            cpu_micros: own(&|sample| sample.client.cpu.as_secs_f64() * 1e6 / sample.calls as f64),
            allocations: counted(&|sample| sample.client.allocated.times),
            bytes: counted(&|sample| sample.client.allocated.bytes),
        },
        server: Cost {
            cpu_micros: own(&|sample| sample.server.cpu.as_secs_f64() * 1e6 / sample.calls as f64),
            allocations: counted(&|sample| sample.server.allocated.times),
            bytes: counted(&|sample| sample.server.allocated.bytes),
        },
    }
}

fn rate(sample: &Sample) -> f64 {
    sample.calls as f64 / sample.elapsed.as_secs_f64()
}

/// The middle one, or the mean of the two in the middle; not a number when there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }
}
