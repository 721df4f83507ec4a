//! One cell, once.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{Cell, Entry, Error, Meter, ServerProcess, Usage, load::Load};

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Time before it, in which calls do not count.
    pub warm_up: Duration,
    /// Its length.
    pub length: Duration,
}

/// What a cell did in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Calls answered.
    pub calls: u64,
    /// Length of the window.
    pub elapsed: Duration,
    /// The latency that half of the calls were under.
    pub p50: Duration,
    /// The latency that 99 % of the calls were under.
    pub p99: Duration,
    /// The latency that 99.9 % of the calls were under.
    pub p999: Duration,
    /// What the calling process used.
    pub client: Usage,
    /// What the serving process used.
    pub server: Usage,
}

/// Starts a server, puts the load of a cell on it, and measures both.
///
/// # Errors
///
/// The first error of a call, and whatever keeps a process from starting.
pub fn measure(entry: Entry, cell: Cell, window: Window, meter: Meter) -> Result<Sample, Error> {
    let mut server = ServerProcess::start(entry, &[])?;
    let load = Load::new(cell);
    let (callers, address) = (load.clone(), server.address());
    let running = thread::spawn(move || entry.load(address, callers));

    thread::sleep(window.warm_up);
    let (server_before, client_before) = (server.usage()?, meter.read());
    let start = Instant::now();
    load.begin();
    thread::sleep(window.length);
    load.end();
    let elapsed = start.elapsed();
    let (client, server) = (
        meter.read() - client_before,
        server.usage()? - server_before,
    );

    let latencies = running.join().map_err(|_| "the load panicked")??;
    let latency = |percent| Duration::from_nanos(latencies.value_at_percentile(percent));
    Ok(Sample {
        calls: latencies.len(),
        elapsed,
        p50: latency(50.0),
        p99: latency(99.0),
        p999: latency(99.9),
        client,
        server,
    })
}
