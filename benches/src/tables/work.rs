use crate::{
    Plan, Work, Workload,
    summary::{Key, Summary},
};

use super::{
    closed::{cpu, latencies, of_best_peer},
    markdown::{Table, short, whole},
};

/// Latencies at fixed rates.
pub fn open(plan: &Plan, summary: &Summary<'_>) -> String {
    let head = [
        "",
        "of its closed loop",
        "calls/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
    ];
    let mut table = Table::new(1, head);
    for &entry in &plan.entries {
        for cell in plan.cells(Workload::Open) {
            let Work::Open { percent } = cell.work else {
                continue;
            };
            let key = Key {
                workload: Workload::Open,
                entry,
                cell,
            };
            let mut row = vec![
                entry.to_string(),
                format!("{percent} %"),
                whole(summary.rate(key)),
            ];
            row.extend(latencies(summary, key));
            table.row(row);
        }
    }
    table.to_string()
}

/// What slow calls do to the others.
pub fn mixed(plan: &Plan, summary: &Summary<'_>) -> String {
    let head = [
        "",
        "slow calls",
        "calls/s",
        "of that without",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
    ];
    let mut table = Table::new(2, head);
    let cells: Vec<_> = plan.cells(Workload::Mixed).collect();
    let Some(&without) = cells.first() else {
        return String::new();
    };
    for entry in plan.entries.iter().copied().filter(|entry| entry.handles()) {
        for &cell in &cells {
            let key = Key {
                workload: Workload::Mixed,
                entry,
                cell,
            };
            let slow = if cell.work == Work::Mixed {
                "with"
            } else {
                "without"
            };
            let ratio = summary.ratio(
                key,
                Key {
                    cell: without,
                    ..key
                },
            );
            let mut row = vec![
                entry.to_string(),
                slow.into(),
                whole(summary.rate(key)),
                short(ratio),
            ];
            row.extend(latencies(summary, key));
            table.row(row);
        }
    }
    table.to_string()
}

/// A service that asks two others.
pub fn chain(plan: &Plan, summary: &Summary<'_>) -> String {
    let head = [
        "callers",
        "",
        "calls/s",
        "× the best peer",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "client CPU µs",
        "application CPU µs",
    ];
    let mut table = Table::new(2, head);
    for cell in plan.cells(Workload::Chain) {
        for entry in plan.entries(cell) {
            let key = Key {
                workload: Workload::Chain,
                entry,
                cell,
            };
            let mut row = vec![
                cell.concurrency.to_string(),
                entry.to_string(),
                whole(summary.rate(key)),
            ];
            row.push(of_best_peer(plan, summary, key));
            row.extend(latencies(summary, key));
            row.extend(cpu(summary, key));
            table.row(row);
        }
    }
    table.to_string()
}
