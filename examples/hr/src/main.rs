//! The program `hr`; what it does is in the library.

use std::process::ExitCode;

use clap::Parser as _;
use hr::cli::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
