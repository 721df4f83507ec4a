//! The results as pictures.

mod chart;

use std::path::Path;

use self::chart::{Chart, Series};
use crate::{
    Cell, Entry, Error, Payload, Plan, Work, Workload,
    measure::Sample,
    picking::Picking,
    summary::{Key, Summary},
};

/// Callers of the plots over payloads.
const CALLERS: usize = 128;

/// Draws what the closed loop came to, on one connection: over the number of callers, and over payloads.
///
/// # Errors
///
/// When a file cannot be written.
pub fn closed(plan: &Plan, summary: &Summary<'_>, folder: &Path) -> Result<(), Error> {
    let rate: &Get = &Sample::rate;
    let p99: &Get = &|sample| sample.p99.as_secs_f64() * 1e6;
    let throughput = |cell: Cell| {
        let mebibytes = cell.payload.bytes() as f64 / (1024.0 * 1024.0);
        move |sample: &Sample| sample.rate() * mebibytes
    };
    let by_callers = |file, title, y, get: &Get| {
        let is_in = |cell: Cell| cell.payload == Payload::Small && cell.connections == 1;
        let series = series(plan, is_in, |key| {
            let value = summary.median(key, get)?;
            Some((key.cell.concurrency as f64, value))
        });
        Chart {
            title,
            x: "callers",
            y,
            series,
        }
        .draw(&folder.join(file))
    };
    by_callers(
        "throughput-by-callers.svg",
        "small struct, one connection",
        "calls per second",
        rate,
    )?;
    by_callers(
        "p99-by-callers.svg",
        "small struct, one connection",
        "p99, µs",
        p99,
    )?;

    let is_in = |cell: Cell| cell.concurrency == CALLERS && cell.connections == 1;
    let bytes = |key: Key| key.cell.payload.bytes() as f64;
    let title = "128 callers, one connection";
    let x = "bytes of payload";
    let throughputs = series(plan, is_in, |key| {
        Some((bytes(key), summary.median(key, throughput(key.cell))?))
    });
    Chart {
        title,
        x,
        y: "MiB per second, each way",
        series: throughputs,
    }
    .draw(&folder.join("throughput-by-payload.svg"))?;
    let latencies = series(plan, is_in, |key| {
        Some((bytes(key), summary.median(key, p99)?))
    });
    Chart {
        title,
        x,
        y: "p99, µs",
        series: latencies,
    }
    .draw(&folder.join("p99-by-payload.svg"))
}

/// Draws what it costs to choose an endpoint.
///
/// # Errors
///
/// When the file cannot be written.
pub fn picking(policies: &[Picking], folder: &Path) -> Result<(), Error> {
    let series = policies.iter().enumerate().map(|(colour, policy)| Series {
        name: policy.policy.clone(),
        colour,
        is_ours: false,
        points: policy
            .nanos
            .iter()
            .map(|&(count, nanos)| (f64::from(count), nanos))
            .collect(),
    });
    let chart = Chart {
        title: "choosing an endpoint",
        x: "endpoints",
        y: "nanoseconds",
        series: series.collect(),
    };
    chart.draw(&folder.join("picking.svg"))
}

type Get = dyn Fn(&Sample) -> f64;

/// A line for each contender, through the cells of the closed loop that are in it.
fn series(
    plan: &Plan,
    is_in: impl Fn(Cell) -> bool,
    point: impl Fn(Key) -> Option<(f64, f64)>,
) -> Vec<Series> {
    let workload = Workload::Closed;
    let line = |(colour, &entry): (usize, &Entry)| {
        let cells = plan
            .cells(workload)
            .filter(|&cell| cell.work == Work::Closed && is_in(cell));
        let points = cells.filter_map(|cell| {
            point(Key {
                workload,
                entry,
                cell,
            })
        });
        Series {
            name: entry.to_string(),
            colour,
            is_ours: entry.is_ours(),
            points: points.collect(),
        }
    };
    plan.entries.iter().enumerate().map(line).collect()
}
