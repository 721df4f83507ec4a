//! All cells, in rounds in which the contenders take turns, so that whatever else the machine does meets all alike.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

use crate::{
    Cell, Entry, Error, Group, Meter, Plan, Work, Workload,
    measure::{Sample, measure},
};

/// What came of one cell in one round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What for.
    pub workload: Workload,
    /// Who.
    pub entry: Entry,
    /// What.
    pub cell: Cell,
    /// When.
    pub round: usize,
    /// How, or why not.
    pub outcome: Result<Sample, String>,
}

/// Measures everything, and tells of each sample as it comes. Who fails in a cell is not asked again in its round.
///
/// # Errors
///
/// Those of `each`.
pub fn run(
    plan: &Plan,
    meter: Meter,
    mut each: impl FnMut(Measured) -> Result<(), Error>,
) -> Result<(), Error> {
    for group in &plan.groups {
        for round in 0..plan.rounds {
            for &entry in &plan.entries {
                one_after_the_other(plan, group, round, entry, meter, &mut each)?;
            }
        }
    }
    Ok(())
}

fn one_after_the_other(
    plan: &Plan,
    group: &Group,
    round: usize,
    entry: Entry,
    meter: Meter,
    each: &mut impl FnMut(Measured) -> Result<(), Error>,
) -> Result<(), Error> {
    if group.cells.iter().any(|cell| cell.work.needs_handlers()) && !entry.handles() {
        return Ok(());
    }
    let mut rate = f64::NAN;
    for &cell in &group.cells {
        let outcome = measure(entry, cell, rate, plan.window, meter);
        if let (Work::Closed, Ok(sample)) = (cell.work, &outcome) {
            rate = sample.rate();
        }
        let failed = outcome.is_err();
        each(Measured {
            workload: group.workload,
            entry,
            cell,
            round,
            outcome: outcome.map_err(|error| error.to_string()),
        })?;
        if failed {
            break;
        }
    }
    Ok(())
}

/// Measures the closed loops on one connection once more in another program, whose allocator counts.
///
/// # Errors
///
/// When that program fails.
pub fn count_allocations(plan: &Plan, program: &Path) -> Result<Vec<Measured>, Error> {
    let counted = |group: &&Group| {
        let one_connection = group.cells.iter().all(|cell| cell.connections == 1);
        group.workload == Workload::Closed && one_connection
    };
    let plan = Plan {
        rounds: 1,
        window: Plan::COUNTING,
        groups: plan.groups.iter().filter(counted).cloned().collect(),
        ..plan.clone()
    };
    let output = Command::new(program)
        .arg(serde_json::to_string(&plan)?)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", program.display(), output.status).into());
    }
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(parse)
        .collect()
}

fn parse(line: &[u8]) -> Result<Measured, Error> {
    Ok(serde_json::from_slice(line)?)
}
