use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde::Serialize;

use crate::{
    Cell, Entry, Error, Meter, Work,
    measure::{Window, measure_during},
};

/// System calls that one call takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Syscalls {
    /// Callers, on one connection.
    pub concurrency: usize,
    /// Of the calling process.
    pub client: f64,
    /// Of the serving process.
    pub server: f64,
}

/// Counts all system calls of both processes, reading, writing, waiting and waking alike, with `perf`: in the kernel,
/// without stopping the process at each as a tracer does, which would make it gather more calls into each.
///
/// # Errors
///
/// When a call fails, or `perf` is not there or not allowed to count.
pub fn syscalls(
    entry: Entry,
    concurrency: usize,
    window: Window,
    meter: Meter,
) -> Result<Syscalls, Error> {
    let cell = Cell::small(Work::Closed, concurrency);
    let window = Window {
        length: window.length.max(SHORTEST),
        ..window
    };
    let count = |server, length| {
        let (client, server) = (
            counter(std::process::id(), length)?,
            counter(server, length)?,
        );
        Ok([per_second(client)?, per_second(server)?])
    };
    let (sample, [client, server]) = measure_during(entry, cell, f64::NAN, window, meter, count)?;
    Ok(Syscalls {
        concurrency,
        client: client / sample.rate(),
        server: server / sample.rate(),
    })
}

/// `perf` needs a while to begin.
const SHORTEST: Duration = Duration::from_millis(300);

/// Whether `perf` is there and may count. Where it is not, the table goes without.
pub(super) fn can_be_counted() -> bool {
    let shortest = Duration::from_millis(1);
    let counter = counter(std::process::id(), shortest);
    counter.is_ok_and(|counter| {
        counter
            .wait_with_output()
            .is_ok_and(|output| output.status.success())
    })
}

fn counter(process: u32, length: Duration) -> Result<Child, Error> {
    let command = Command::new("perf")
        .args(["stat", "-x,", "-e", "duration_time,raw_syscalls:sys_enter"])
        .args(["-p", &process.to_string(), "--", "sleep"])
        .arg(length.as_secs_f64().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    command.map_err(|error| format!("perf: {error}").into())
}

fn per_second(counter: Child) -> Result<f64, Error> {
    let output = counter.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    parse(&text).ok_or_else(|| format!("perf counted nothing: {text}").into())
}

/// The rate in what `perf stat -x,` prints: a line for each event, its count first and its name third.
fn parse(text: &str) -> Option<f64> {
    let count = |event| {
        text.lines().find_map(|line| {
            let mut fields = line.split(',');
            let count = fields.next()?.parse::<f64>().ok()?;
            (fields.nth(1)? == event).then_some(count)
        })
    };
    let nanos = count("duration_time")?;
    Some(count("raw_syscalls:sys_enter")? / nanos * 1e9)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_rate_is_read_from_what_perf_prints() {
        let text = "500000000,ns,duration_time,500000000,100.00,,\n1000,,raw_syscalls:sys_enter,7,100.00,,\n";
        assert_eq!(parse(text), Some(2000.0));
        assert_eq!(
            parse("<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n"),
            None
        );
    }
}
