//! All cells, in rounds in which the contenders take turns, so that whatever else the machine does meets all alike.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

use crate::{
    Cell, Entry, Error, Meter, Plan,
    measure::{Sample, measure},
};

/// A sample, and what it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Who.
    pub entry: Entry,
    /// What.
    pub cell: Cell,
    /// When.
    pub round: usize,
    /// How.
    pub sample: Sample,
}

/// Measures everything, and tells of each sample as it comes.
///
/// # Errors
///
/// The first error of a call.
pub fn run(
    plan: &Plan,
    meter: Meter,
    mut each: impl FnMut(Measured) -> Result<(), Error>,
) -> Result<(), Error> {
    for &cell in &plan.cells {
        for round in 0..plan.rounds {
            for &entry in &plan.entries {
                let sample = measure(entry, cell, plan.window, meter).map_err(|error| {
                    format!("{entry}, {} × {}: {error}", cell.payload, cell.concurrency)
                })?;
                each(Measured {
                    entry,
                    cell,
                    round,
                    sample,
                })?;
            }
        }
    }
    Ok(())
}

/// Measures everything once more in another program, whose allocator counts.
///
/// # Errors
///
/// When that program fails.
pub fn count_allocations(plan: &Plan, program: &Path) -> Result<Vec<Measured>, Error> {
    let plan = Plan {
        rounds: 1,
        window: Plan::COUNTING,
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
