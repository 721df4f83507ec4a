//! One cell, once.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{
    Cell, Entry, Error, Meter, ServerProcess, Usage, Work,
    load::{self, Latencies, Load, nanos},
};

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Time before it in which calls do not count, once every caller has had an answer.
    pub warm_up: Duration,
    /// Its length, if in twice the time in which every caller has had an answer it is not over anyway.
    pub length: Duration,
}

/// What a cell did in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Calls answered; in the open loop, calls that had to start. Without slow ones, where there are any.
    pub calls: u64,
    /// How many of them were not answered at all, which only the open loop goes on after.
    pub lost: u64,
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
    /// What the serving process used; of a chain, the one that is called first.
    pub server: Usage,
}

/// No cell waits longer than this for its slowest caller.
const LONGEST_WARM_UP: Duration = Duration::from_secs(4);

/// No window is longer than this because of its slowest caller.
const LONGEST: Duration = Duration::from_secs(2);

/// Servers of one contender, and the one that is called.
#[derive(Debug)]
pub struct Servers {
    called: ServerProcess,
    _data: Vec<ServerProcess>,
}

impl Sample {
    /// Calls per second.
    pub fn rate(&self) -> f64 {
        self.calls as f64 / self.elapsed.as_secs_f64()
    }
}

impl Servers {
    /// Starts what this work needs.
    ///
    /// # Errors
    ///
    /// When a process cannot be started.
    pub fn start(entry: Entry, work: Work) -> Result<Self, Error> {
        let data = match work {
            Work::Chain => vec![
                ServerProcess::start(entry, &[])?,
                ServerProcess::start(entry, &[])?,
            ],
            Work::Closed | Work::Mixed | Work::Open { .. } => Vec::new(),
        };
        let addresses: Vec<SocketAddr> = data.iter().map(ServerProcess::address).collect();
        Ok(Self {
            called: ServerProcess::start(entry, &addresses)?,
            _data: data,
        })
    }
}

/// Starts a server, puts the load of a cell on it, and measures both. `rate` is what an open loop takes its share of.
///
/// # Errors
///
/// The first error of a call, and whatever keeps a process from starting.
pub fn measure(
    entry: Entry,
    cell: Cell,
    rate: f64,
    window: Window,
    meter: Meter,
) -> Result<Sample, Error> {
    let wait = |_, length| {
        thread::sleep(length);
        Ok(())
    };
    let (sample, ()) = measure_during(entry, cell, rate, window, meter, wait)?;
    Ok(sample)
}

/// The same, where `during` fills the window: it is told the id of the serving process and how long to take.
///
/// # Errors
///
/// Those of `during`, too.
pub fn measure_during<T>(
    entry: Entry,
    cell: Cell,
    rate: f64,
    window: Window,
    meter: Meter,
    during: impl FnOnce(u32, Duration) -> Result<T, Error>,
) -> Result<(Sample, T), Error> {
    let Servers {
        called: mut server,
        _data,
    } = Servers::start(entry, cell.work)?;
    let load = Load::new(cell, rate);
    let (callers, address) = (load.clone(), server.address());
    let running = thread::spawn(move || entry.load(address, callers));

    let start = Instant::now();
    while !load.is_warm() && !running.is_finished() && start.elapsed() < LONGEST_WARM_UP {
        thread::sleep(Duration::from_millis(1));
    }
    let length = window.length.max((start.elapsed() * 2).min(LONGEST));
    thread::sleep(window.warm_up);

    let (server_before, client_before) = (server.usage()?, meter.read());
    let start = Instant::now();
    load.begin();
    let during = during(server.id(), length);
    load.end();
    let elapsed = start.elapsed();
    let (client, server) = (
        meter.read() - client_before,
        server.usage()? - server_before,
    );

    let latencies = running.join().map_err(|_| "the load panicked")??;
    let sample = sample(&latencies, elapsed, client, server);
    Ok((sample, during?))
}

fn sample(latencies: &Latencies, elapsed: Duration, client: Usage, server: Usage) -> Sample {
    let latency = |percent| Duration::from_nanos(latencies.value_at_percentile(percent));
    Sample {
        calls: latencies.len(),
        lost: latencies.count_between(nanos(load::PATIENCE), u64::MAX),
        elapsed,
        p50: latency(50.0),
        p99: latency(99.0),
        p999: latency(99.9),
        client,
        server,
    }
}
