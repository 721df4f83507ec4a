//! The result as a Markdown table.

use std::fmt::Write as _;

use crate::summary::{Cost, Row};

const HEAD: &str = "\
| payload | callers | | calls/s | of echo | p50 µs | p99 µs | p99.9 µs | client CPU µs | server CPU µs | client allocs | \
server allocs |
|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
";

/// The table of these rows.
pub fn markdown(rows: &[Row]) -> String {
    let mut table = String::from(HEAD);
    for row in rows {
        // Writing to a string does not fail.
        let _ = write_row(&mut table, row);
    }
    table
}

fn write_row(table: &mut String, row: &Row) -> std::fmt::Result {
    let of_echo = row
        .of_echo
        .map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}"));
    write!(
        table,
        "| {} | {} | {} ",
        row.cell.payload, row.cell.concurrency, row.entry
    )?;
    write!(table, "| {} | {of_echo} ", thousands(row.calls_per_second))?;
    write!(
        table,
        "| {:.0} | {:.0} | {:.0} ",
        row.p50_micros, row.p99_micros, row.p999_micros
    )?;
    let Row { client, server, .. } = row;
    write!(
        table,
        "| {:.2} | {:.2} ",
        client.cpu_micros, server.cpu_micros
    )?;
    writeln!(
        table,
        "| {} | {} |",
        allocations(client),
        allocations(server)
    )
}

fn allocations(cost: &Cost) -> String {
    if cost.allocations.is_nan() {
        "–".into()
    } else {
        format!("{:.1}", cost.allocations)
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
