use super::markdown::{Table, short, whole};
use crate::{Entry, costs::Costs};

/// Memory, and below it system calls, as far as they were asked for.
pub fn costs(entries: &[Entry], costs: &Costs) -> String {
    let memory = memory(entries, costs);
    if costs.syscalls.is_empty() {
        memory
    } else {
        format!("{memory}\n{}", syscalls(entries, costs))
    }
}

fn memory(entries: &[Entry], costs: &Costs) -> String {
    let head = [
        "",
        "idle connection: client KiB",
        "server KiB",
        "call in flight: client KiB",
        "server KiB",
    ];
    let mut table = Table::new(1, head);
    for &entry in entries {
        let idle = of(&costs.idle, entry).next();
        let in_flight = of(&costs.in_flight, entry).next();
        let bytes = [
            idle.map(|idle| idle.client),
            idle.map(|idle| idle.server),
            in_flight.map(|calls| calls.client),
            in_flight.map(|calls| calls.server),
        ];
        let kibibytes = bytes.map(|bytes| short(bytes.map(|bytes| bytes / 1024.0)));
        table.row([entry.to_string()].into_iter().chain(kibibytes));
    }
    table.to_string()
}

fn syscalls(entries: &[Entry], costs: &Costs) -> String {
    let mut callers: Vec<usize> = costs
        .syscalls
        .iter()
        .map(|(_, of)| of.concurrency)
        .collect();
    callers.sort_unstable();
    callers.dedup();
    let numbers = callers.iter().map(|&count| whole(Some(count as f64)));
    let name = "system calls per call, client + server, by callers".into();
    let mut table = Table::new(1, [name].into_iter().chain(numbers));
    for &entry in entries {
        let numbers = callers.iter().map(|&count| {
            let counted = of(&costs.syscalls, entry).find(|of| of.concurrency == count);
            let (client, server) = (counted.map(|of| of.client), counted.map(|of| of.server));
            format!("{} + {}", short(client), short(server))
        });
        table.row([entry.to_string()].into_iter().chain(numbers));
    }
    table.to_string()
}

fn of<T>(all: &[(Entry, T)], entry: Entry) -> impl Iterator<Item = &T> {
    let own = all.iter().filter(move |(other, _)| *other == entry);
    own.map(|(_, cost)| cost)
}
