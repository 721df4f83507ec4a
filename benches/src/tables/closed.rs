use crate::{
    Cell, Entry, Plan, Workload,
    load::PATIENCE,
    measure::Sample,
    summary::{Key, Summary},
};

use super::markdown::{Table, short, whole};

/// The ratios of a closed loop: a row for each cell, a column for each contender.
pub fn ratios(plan: &Plan, summary: &Summary<'_>) -> String {
    let contenders = || plan.entries.iter().copied().filter(|entry| entry.handles());
    let mut head = [
        "payload",
        "connections",
        "callers",
        "floor",
        "floor's calls/s",
    ]
    .map(String::from)
    .to_vec();
    head.extend(contenders().map(|entry| entry.to_string()));
    head.push(format!("{} × the best peer", Entry::Doge));
    let mut table = Table::new(4, head);
    for cell in plan.cells(Workload::Closed) {
        let key = |entry| key(entry, cell);
        let floor = cell.payload.floor();
        let mut row = names(cell).to_vec();
        row.extend([floor.to_string(), whole(summary.rate(key(floor)))]);
        row.extend(contenders().map(|entry| short(summary.ratio(key(entry), key(floor)))));
        row.push(of_best_peer(plan, summary, key(Entry::Doge)));
        table.row(row);
    }
    table.to_string()
}

/// All that was measured in a closed loop.
pub fn details(plan: &Plan, summary: &Summary<'_>) -> String {
    let head = [
        "payload",
        "connections",
        "callers",
        "",
        "calls/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "client CPU µs",
        "server CPU µs",
        "client allocs",
        "server allocs",
    ];
    let mut table = Table::new(4, head);
    for cell in plan.cells(Workload::Closed) {
        for entry in plan.entries(cell) {
            let key = key(entry, cell);
            let mut row = names(cell).to_vec();
            row.extend([entry.to_string(), whole(summary.rate(key))]);
            row.extend(latencies(summary, key));
            row.extend(cpu(summary, key));
            row.push(short(
                summary.counted(key, |sample| sample.client.allocated.times),
            ));
            row.push(short(
                summary.counted(key, |sample| sample.server.allocated.times),
            ));
            table.row(row);
        }
    }
    table.to_string()
}

fn key(entry: Entry, cell: Cell) -> Key {
    Key {
        workload: Workload::Closed,
        entry,
        cell,
    }
}

fn names(cell: Cell) -> [String; 3] {
    [
        cell.payload.to_string(),
        cell.connections.to_string(),
        cell.concurrency.to_string(),
    ]
}

/// How many times the rate of the fastest peer in the same cell, and who that is.
pub(super) fn of_best_peer(plan: &Plan, summary: &Summary<'_>, own: Key) -> String {
    let peers = plan.entries.iter().filter(|entry| entry.is_peer());
    let rates = peers.filter_map(|&entry| {
        let key = Key { entry, ..own };
        summary.rate(key).map(|rate| (rate, key))
    });
    let best = rates.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map_or_else(
        || short(None),
        |(_, best)| format!("{} ({})", short(summary.ratio(own, best)), best.entry),
    )
}

/// Median, 99 % and 99.9 %, in microseconds.
pub(super) fn latencies(summary: &Summary<'_>, key: Key) -> [String; 3] {
    let latencies: [fn(&Sample) -> f64; 3] = [
        |sample| sample.p50.as_secs_f64() * 1e6,
        |sample| sample.p99.as_secs_f64() * 1e6,
        |sample| sample.p999.as_secs_f64() * 1e6,
    ];
    latencies.map(|get| match summary.median(key, get) {
        Some(micros) if micros >= PATIENCE.as_secs_f64() * 1e6 => "lost".into(),
        micros => whole(micros),
    })
}

/// Of the client and of the server, in microseconds for each call.
pub(super) fn cpu(summary: &Summary<'_>, key: Key) -> [String; 2] {
    let cpu: [fn(&Sample) -> f64; 2] = [
        |sample| sample.client.cpu.as_secs_f64() * 1e6 / sample.calls as f64,
        |sample| sample.server.cpu.as_secs_f64() * 1e6 / sample.calls as f64,
    ];
    cpu.map(|get| short(summary.median(key, get)))
}
