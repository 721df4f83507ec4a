//! Breaks a promise in a copy of the sources, and sees that the simulation notices.

use std::{fs, io, path::Path, process::ExitCode};

use super::{Step, step::root};

/// A line of the product, and what breaks a promise in its place.
struct Mutant {
    breaks: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const MUTANTS: [Mutant; 5] = [
    Mutant {
        breaks: "at most once: a call that may have run is made again whether or not it is idempotent",
        file: "rpc-client/src/status_tables.rs",
        from: "(C::Unavailable, _) if idempotent => Self::RetryWithBackoff,",
        to: "(C::Unavailable, _) => Self::RetryWithBackoff,",
    },
    Mutant {
        breaks: "cancellation: a server is not told that a call was given up",
        file: "rpc-core/src/connection/client.rs",
        from: "if self.calls.forget(call) {",
        to: "if self.calls.forget(call) && why().text() == \"a mutant\" {",
    },
    Mutant {
        breaks: "bounds: a call that was given up keeps its slot at the client",
        file: "rpc-core/src/connection/client.rs",
        from: "if self.calls.forget(call) {",
        to: "if call > 0 {",
    },
    Mutant {
        breaks: "bounds: a call keeps its place at the server",
        file: "rpc-server/src/gate.rs",
        from: "self.0.fetch_sub(1, Ordering::Relaxed);",
        to: "_ = self.0.load(Ordering::Relaxed);",
    },
    Mutant {
        breaks: "a drain: the server says that the last call was not taken",
        file: "rpc-core/src/connection/server.rs",
        from: "last_calls: self.last[..lanes].to_vec(),",
        to: "last_calls: self.last[..lanes].iter().map(|last| last.saturating_sub(1)).collect(),",
    },
];

/// In which the mutants are built, below the target folder, with a target folder of their own.
const COPY: &str = "target/mutants";

/// A thousand seeds, of which the first that fails ends the run.
const SIMULATION: Step = Step::cargo(
    "simulation of a mutant",
    "test --quiet --manifest-path target/mutants/Cargo.toml --profile simulation --package doge-rpc --features testing --test simulation promises_hold_from_seed_0",
)
.with_variable("DOGE_SEEDS", "1000");

const BUILD: Step = Step::cargo(
    "build of a mutant",
    "test --quiet --manifest-path target/mutants/Cargo.toml --profile simulation --package doge-rpc --features testing --test simulation --no-run",
);

/// The commands, each of which runs for each mutant.
pub(crate) fn steps() -> Vec<Step> {
    vec![BUILD, SIMULATION]
}

/// Builds and runs each mutant, and fails when one of them passes.
pub(crate) fn run() -> ExitCode {
    match survivors() {
        Ok(survivors) if survivors.is_empty() => {
            println!(
                "figure: {} mutants, all noticed within 1,000 seeds",
                MUTANTS.len()
            );
            ExitCode::SUCCESS
        }
        Ok(survivors) => {
            for mutant in survivors {
                eprintln!("no seed of 1,000 notices this mutant: {}", mutant.breaks);
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the mutants cannot be tried: {error}");
            ExitCode::FAILURE
        }
    }
}

fn survivors() -> io::Result<Vec<&'static Mutant>> {
    copy_sources()?;
    let mut survivors = Vec::new();
    for mutant in &MUTANTS {
        println!("\n{}", mutant.breaks);
        let file = root().join(COPY).join(mutant.file);
        let sources = fs::read_to_string(&file)?;
        if sources.matches(mutant.from).count() != 1 {
            let why = format!("{} has not exactly one line {:?}", mutant.file, mutant.from);
            return Err(io::Error::other(why));
        }
        fs::write(&file, sources.replace(mutant.from, mutant.to))?;
        if !BUILD.run()?.success() {
            return Err(io::Error::other(format!("{} does not compile", mutant.to)));
        }
        let passes = SIMULATION.run()?.success();
        fs::write(&file, sources)?;
        if passes {
            survivors.push(mutant);
        }
    }
    Ok(survivors)
}

/// Copies what git knows of. What was built there before stays.
fn copy_sources() -> io::Result<()> {
    let listed = Step::program("list of the sources", "git", "ls-files -z").capture()?;
    let listed = String::from_utf8(listed.stdout).map_err(io::Error::other)?;
    for name in listed.split_terminator('\0') {
        let (from, to) = (root().join(name), root().join(COPY).join(name));
        // A file that was deleted and is still in the index.
        if from.is_file() {
            copy_if_different(&from, &to)?;
        }
    }
    Ok(())
}

/// A file that stays as it is need not be compiled again.
fn copy_if_different(from: &Path, to: &Path) -> io::Result<()> {
    let wanted = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, wanted)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MUTANTS, root};

    #[test]
    fn each_mutant_is_of_a_line_that_is_there_once() {
        for mutant in &MUTANTS {
            let sources = fs::read_to_string(root().join(mutant.file)).unwrap();
            assert_eq!(sources.matches(mutant.from).count(), 1, "{}", mutant.breaks);
        }
    }
}
