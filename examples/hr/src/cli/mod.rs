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

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

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

Set RUST_LOG=info to see on the standard error what the services do.";

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
        log();
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

fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
