use clap::{Args, Parser, Subcommand};

/// Tests, checks and benchmarks of doge-rpc.
///
/// A task is a list of commands. Each is shown before it runs, and the first one that fails ends the task.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Options {
    /// Prints the commands instead of running them.
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    #[command(subcommand)]
    pub(crate) task: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Runs all tests, the examples in the documentation included.
    ///
    /// cargo-nextest runs them when it is installed, and `cargo test` when it is not. The etcd registry is built and
    /// tested when etcd and protoc are installed, and left out when they are not.
    Test(TestOptions),
    /// Runs all that has to hold before a change goes in: formatting, lints, documentation, tests, examples, packages,
    /// and a short benchmark to see that it works.
    Ci(TestOptions),
    /// Runs the whole benchmark and writes its table to docs/performance.md. Takes minutes, on a machine that does
    /// nothing else.
    Bench,
}

/// How to test.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TestOptions {
    /// Installs what is missing first: cargo-nextest, which takes some minutes, and etcd and protoc with apt-get.
    #[arg(long)]
    pub(crate) install: bool,
}
