//! What is measured once and not in rounds, since it hardly varies: memory and system calls.

mod held;
mod memory;
mod syscalls;

use serde::Serialize;

pub use self::{
    held::{Held, hold},
    memory::{Idle, InFlight, idle, in_flight},
    syscalls::{Syscalls, syscalls},
};
use crate::{Entry, Error, Meter, measure::Window, options::CostsPlan};

/// All costs that were asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Costs {
    /// Of idle connections.
    pub idle: Vec<(Entry, Idle)>,
    /// Of calls in flight.
    pub in_flight: Vec<(Entry, InFlight)>,
    /// System calls of calls.
    pub syscalls: Vec<(Entry, Syscalls)>,
    /// Who could not be measured, and why.
    pub failures: Vec<String>,
}

impl Costs {
    /// Measures what is asked for.
    pub fn of(plan: &CostsPlan, window: Window, meter: Meter) -> Self {
        let mut costs = Self::default();
        let failures = &mut costs.failures;
        for &entry in &plan.entries {
            if let Some(wanted) = plan.connections {
                note(entry, idle(entry, wanted), &mut costs.idle, failures);
            }
            if let Some(calls) = plan.calls.filter(|_| entry.handles()) {
                note(
                    entry,
                    in_flight(entry, calls),
                    &mut costs.in_flight,
                    failures,
                );
            }
            if syscalls::can_be_counted() {
                for &concurrency in &plan.syscalls {
                    let counted = syscalls(entry, concurrency, window, meter);
                    note(entry, counted, &mut costs.syscalls, failures);
                }
            }
        }
        costs
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        !(self.idle.is_empty() && self.in_flight.is_empty() && self.syscalls.is_empty())
    }
}

fn note<T>(
    entry: Entry,
    cost: Result<T, Error>,
    all: &mut Vec<(Entry, T)>,
    failures: &mut Vec<String>,
) {
    match cost {
        Ok(cost) => all.push((entry, cost)),
        Err(error) => failures.push(format!("{entry}, costs: {error}")),
    }
}
