use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use super::Step;

/// Shows the commands, as input for a shell.
pub(crate) fn print(steps: &[Step]) {
    for step in steps {
        println!("# {}\n{step}", step.what());
    }
}

/// Runs the commands one after the other, until one fails.
pub(crate) fn run(steps: &[Step]) -> ExitCode {
    let mut took = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        eprintln!("\n[{}/{}] {}\n$ {step}", at + 1, steps.len(), step.what());
        let started = Instant::now();
        if let Err(failure) = run_one(step) {
            eprintln!(
                "\nfailed: {} ({}). To run this step again:\n$ {step}",
                step.what(),
                failure.why
            );
            return failure.code;
        }
        took.push(started.elapsed());
    }
    summarise(steps, &took);
    ExitCode::SUCCESS
}

struct Failure {
    why: String,
    code: ExitCode,
}

fn run_one(step: &Step) -> Result<(), Failure> {
    let status = step.run().map_err(|error| Failure {
        why: format!("cannot start {}: {error}", step.name()),
        code: ExitCode::FAILURE,
    })?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Err(Failure {
        why: status.to_string(),
        code: code.map_or(ExitCode::FAILURE, ExitCode::from),
    })
}

fn summarise(steps: &[Step], took: &[Duration]) {
    eprintln!();
    for (step, time) in steps.iter().zip(took) {
        eprintln!("{:>6.1} s  {}", time.as_secs_f64(), step.what());
    }
    eprintln!(
        "{:>6.1} s  all passed",
        took.iter().sum::<Duration>().as_secs_f64()
    );
}
