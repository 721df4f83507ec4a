//! The command line.

mod console;
mod demo;
mod employees;
mod failure;
mod import;
mod leave;
mod place;
mod presence;
mod serve;
mod skipped;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use self::failure::Failure;

pub(crate) use self::console::Console;

/// An HR system of services: employees, leave, onboarding.
///
/// Without --registry, a command does its work in this process, on the data folder. With it, the command calls the
/// services that are registered there, as `hr serve` does.
#[derive(Debug, Parser)]
#[command(name = "hr", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  hr demo
  hr import people.csv && hr employees --count
  hr demo --chaos --seconds 20
  hr serve employee leave onboarding --registry file:hr-registry
  hr employees --department Sales --registry file:hr-registry

Logs go to the standard error: of `hr serve` what is of level info and above, as its start and stop;
of other commands warnings and errors. RUST_LOG sets another level, for example RUST_LOG=debug.";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Import(import::Import),
    Employees(employees::Employees),
    #[command(subcommand)]
    Leave(leave::Leave),
}

impl Cli {
    /// Does what the command line says.
    ///
    /// The exit code is 0 when it went well, and when whoever reads the output has seen enough of it.
    pub async fn run(self) -> ExitCode {
        log(self.command.default_log_level());
        let mut console = Console::new();
        let result = match self.command {
            Command::Demo(command) => command.run(&mut console).await,
            Command::Serve(command) => command.run(&mut console).await,
            Command::Import(command) => command.run(&mut console).await,
            Command::Employees(command) => command.run(&mut console).await,
            Command::Leave(command) => command.run(&mut console).await,
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
            Err(failure) => {
                // Where the standard error is closed, the exit code is all that can be told.
                let _ = console.note(format_args!("hr: {failure}"));
                ExitCode::FAILURE
            }
        }
    }
}

impl Command {
    /// What is logged unless RUST_LOG says otherwise. The output of the other commands is their result.
    fn default_log_level(&self) -> LevelFilter {
        match self {
            Self::Serve(_) => LevelFilter::INFO,
            _ => LevelFilter::WARN,
        }
    }
}

/// Logs to the standard error, in colour on a terminal only, and there not against `NO_COLOR` (<https://no-color.org>).
fn log(default: LevelFilter) {
    let filter = EnvFilter::builder().with_default_directive(default.into());
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color)
        .init();
}
