//! Runs a plan, given as JSON, under an allocator that counts, and prints a line of JSON for each sample.
//!
//! A program of its own, so that the counting does not slow down what is timed.

use std::{
    alloc::System,
    io::{self, Write as _},
    net::SocketAddr,
};

use clap::Parser;
use doge_benches::{Allocated, Entry, Error, Meter, rounds, serve};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[derive(Debug, Parser)]
struct Options {
    /// The plan.
    plan: Option<String>,
    /// Serves until the input ends.
    #[arg(long, value_enum)]
    serve: Option<Entry>,
    /// The data services that the server asks.
    #[arg(long)]
    data: Vec<SocketAddr>,
}

fn main() -> Result<(), Error> {
    let options = Options::parse();
    let meter = Meter::with_allocations(allocated);
    if let Some(entry) = options.serve {
        return serve(entry, options.data, meter);
    }
    let plan = serde_json::from_str(&options.plan.unwrap_or_default())?;
    rounds::run(&plan, meter, |measured| {
        Ok(writeln!(
            io::stdout(),
            "{}",
            serde_json::to_string(&measured)?
        )?)
    })
}

fn allocated() -> Allocated {
    let stats = ALLOCATOR.stats();
    Allocated {
        times: (stats.allocations + stats.reallocations) as u64,
        bytes: stats.bytes_allocated as u64,
    }
}
