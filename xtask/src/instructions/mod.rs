//! Compares what the path of a call costs, in instructions, with what `benches/instructions.toml` allows.
//!
//! - [`tools`]: what counts them, and how it is installed.
//! - [`counts`]: what the benchmark counted.
//! - [`baseline`]: the file, and who may change what in it.
//! - [`comparison`]: the two beside each other, scenario by scenario.
//! - [`toolchain`]: what else changes a count.
//! - [`report`]: what is told.

mod baseline;
mod comparison;
mod counts;
mod report;
mod toolchain;
pub(crate) mod tools;

use std::{error::Error, process::ExitCode};

use self::{baseline::Baseline, comparison::Comparison, toolchain::Toolchain};
use super::{Step, options::InstructionsOptions, run};

type Problem = Box<dyn Error>;

/// The benchmark; its summaries, a line of JSON each, go to standard output. A benchmark runs in its package's folder.
/// Addresses may be random: the counts are the same, and a container may not be allowed to forbid it.
const COUNT: Step = Step::cargo(
    "count instructions",
    "bench --package doge-benches --features instructions --bench instructions -- --output-format=json --allow-aslr=yes",
)
.with_variable("GUNGRAUN_RUNNER", "../target/tools/bin/gungraun-runner");

/// The commands that this consists of.
pub(crate) fn steps(options: &InstructionsOptions) -> Vec<Step> {
    let mut steps = Vec::new();
    if options.install {
        steps.extend(tools::missing());
    }
    steps.push(COUNT);
    steps
}

/// Counts, and compares with the baseline or writes it anew.
pub(crate) fn run(options: &InstructionsOptions) -> ExitCode {
    let missing = tools::missing();
    if options.install && !missing.is_empty() {
        let installed = run::run(&missing);
        if installed != ExitCode::SUCCESS {
            return installed;
        }
    } else if !missing.is_empty() {
        tools::tell_what_is_missing(&missing);
        return ExitCode::FAILURE;
    }
    count_and_compare(options).unwrap_or_else(|problem| {
        eprintln!("\nfailed: {problem}");
        ExitCode::FAILURE
    })
}

fn count_and_compare(options: &InstructionsOptions) -> Result<ExitCode, Problem> {
    eprintln!("\n{}\n$ {COUNT}", COUNT.what());
    let output = COUNT.capture()?;
    if !output.status.success() {
        return Err(format!("the benchmark ended with {}", output.status).into());
    }
    let counts = counts::read(&String::from_utf8(output.stdout)?)?;
    let toolchain = Toolchain::look()?;
    let baseline = Baseline::read()?;
    let comparison = Comparison::new(&baseline, &counts);
    print!("{}", report::table(&comparison));
    if options.bless {
        let blessed = baseline.bless(&comparison, toolchain, options.reason.as_deref())?;
        blessed.write()?;
        println!("\n{} is written.", baseline::FILE);
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", report::verdict(&comparison));
    if comparison.passes() {
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", report::other_causes(&baseline.toolchain, &toolchain));
    Ok(ExitCode::FAILURE)
}
