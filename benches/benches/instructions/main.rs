//! What the path of a call costs in instructions, which no other load on the machine changes.
//!
//! ```sh
//! cargo xtask instructions
//! ```
//!
//! Each scenario does the same [`OPERATIONS`] times, after a first one that allocates what is kept. Nothing in it depends
//! on time or chance: the clock of tokio is paused, and random numbers come from a fixed seed.

mod balance;
mod calls;
mod echo;
mod machines;
mod service;
mod values;

use gungraun::{Callgrind, prelude::*};

use self::{
    balance::picking, calls::whole_calls, machines::state_machines, service::serving,
    values::messages,
};

/// How often a scenario does what it is named after; what is compared is the count of one.
const OPERATIONS: usize = 1024;

// Instructions only: what caches do depends on the machine.
main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["cache-sim=no"])),
    library_benchmark_groups = [messages, state_machines, serving, whole_calls, picking]
);
