//! The commands of the project: `cargo xtask test`, `cargo xtask ci`, `cargo xtask nightly`, `cargo xtask fuzz`,
//! `cargo xtask instructions`, `cargo xtask mutants`, `cargo xtask bench`.
//!
//! Each is a list of [`Step`]s, and each step is one command that can be run by hand as well: `--dry-run` prints
//! them. To change what a command does, see [`plan`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool talks to whoever runs it"
)]

mod apt;
mod capnp;
mod etcd;
mod fuzz;
mod instructions;
mod mutants;
mod neovim;
mod nextest;
mod nightly;
mod options;
mod plan;
mod python;
mod run;
mod step;

use std::process::ExitCode;

use clap::Parser as _;

use self::{
    options::{Options, Task},
    step::Step,
};

fn main() -> ExitCode {
    let options = Options::parse();
    let steps = plan::steps(&options.task);
    if options.dry_run {
        run::print(&steps);
        return ExitCode::SUCCESS;
    }
    match &options.task {
        Task::Instructions(options) => instructions::run(options),
        Task::Mutants => mutants::run(),
        Task::Nightly(_) => nightly::run(&steps),
        _ => run::run(&steps),
    }
}
