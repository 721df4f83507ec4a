//! What takes too long for every change: each step runs, whatever failed before, and the figures are summarised.
//!
//! - [`figures`]: the lines of the output that the summary repeats.

mod figures;

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Write},
    process::{ExitCode, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use self::figures::figure;
use super::Step;

/// Runs every step, and prints the summary.
pub(crate) fn run(steps: &[Step]) -> ExitCode {
    let mut ended = Vec::with_capacity(steps.len());
    for (at, step) in steps.iter().enumerate() {
        eprintln!("\n[{}/{}] {}\n$ {step}", at + 1, steps.len(), step.what());
        let started = Instant::now();
        let (outcome, figures) = match run_one(step) {
            Ok((status, figures)) if status.success() => (Ok(()), figures),
            Ok((status, figures)) => (Err(status.to_string()), figures),
            Err(error) => (
                Err(format!("cannot start {}: {error}", step.name())),
                Vec::new(),
            ),
        };
        ended.push(Ended {
            step,
            outcome,
            took: started.elapsed(),
            figures,
        });
    }
    print!("\n{}", summary(&ended));
    match ended.iter().all(|ended| ended.outcome.is_ok()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// A step that has run.
struct Ended<'a> {
    step: &'a Step,
    /// Or why it failed.
    outcome: Result<(), String>,
    took: Duration,
    figures: Vec<String>,
}

fn summary(all: &[Ended<'_>]) -> String {
    let mut text = String::new();
    for ended in all {
        let (seconds, step) = (ended.took.as_secs_f64(), ended.step);
        let _ = write!(text, "{seconds:>7.1} s  {}", step.what());
        let _ = match &ended.outcome {
            Ok(()) => writeln!(text),
            Err(why) => writeln!(text, ": FAILED ({why}). To run this step again:\n$ {step}"),
        };
        for figure in &ended.figures {
            let _ = writeln!(text, "           {figure}");
        }
    }
    text
}

/// Runs a step; what it prints goes where ours goes, line by line, and its figures are kept.
fn run_one(step: &Step) -> io::Result<(ExitStatus, Vec<String>)> {
    let mut child = step.spawn_piped()?;
    let errors = child
        .stderr
        .take()
        .map(|errors| thread::spawn(move || pass_on(BufReader::new(errors), &mut io::stderr())));
    let mut figures = match child.stdout.take() {
        Some(output) => pass_on(BufReader::new(output), &mut io::stdout()),
        None => Vec::new(),
    };
    if let Some(Ok(found)) = errors.map(thread::JoinHandle::join) {
        figures.extend(found);
    }
    Ok((child.wait()?, figures))
}

/// Copies lines to their end, and returns the figures among them. Goes on reading when nobody takes the copies any more,
/// since the step would wait otherwise.
fn pass_on(mut from: impl BufRead, to: &mut impl Write) -> Vec<String> {
    let mut figures = Vec::new();
    let mut line = Vec::new();
    while let Ok(1..) = from.read_until(b'\n', &mut line) {
        let _ = to.write_all(&line);
        figures.extend(figure(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_passed_on_as_they_are_and_figures_kept() {
        let said = b"building\nfigure: calls = 7\n\xff\nno end".as_slice();
        let mut passed_on = Vec::new();
        assert_eq!(pass_on(said, &mut passed_on), ["calls = 7"]);
        assert_eq!(passed_on, said);
    }

    #[test]
    fn a_step_that_fails_does_not_keep_the_next_from_running() {
        let steps = [
            Step::program("fails", "false", "-"),
            Step::program("says", "echo", "figure: calls = 7"),
        ];
        let ran = steps.each_ref().map(|step| run_one(step).unwrap());
        let [(failed, none), (succeeded, figures)] = ran;
        assert!(!failed.success() && succeeded.success());
        assert_eq!((none, figures), (vec![], vec!["calls = 7".to_owned()]));
        assert_eq!(run(&steps), ExitCode::FAILURE);
        assert_eq!(run(&steps[1..]), ExitCode::SUCCESS);
    }

    #[test]
    fn the_summary_has_each_step_with_its_figures_and_what_failed() {
        let fuzzing = Step::cargo("fuzzing", "fuzz run a");
        let soaks = Step::cargo("ignored tests", "nextest run");
        let ended = |step, outcome, figure: &str| Ended {
            step,
            outcome,
            took: Duration::from_secs(600),
            figures: vec![figure.to_owned()],
        };
        let all = [
            ended(&fuzzing, Ok(()), "7 runs"),
            ended(&soaks, Err("exit status: 100".into()), "1 failed"),
        ];
        let expected = "  600.0 s  fuzzing
           7 runs
  600.0 s  ignored tests: FAILED (exit status: 100). To run this step again:
$ cargo nextest run
           1 failed
";
        assert_eq!(summary(&all), expected);
    }
}
