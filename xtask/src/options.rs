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
    /// tested when etcd and protoc are installed, and left out when they are not. So are the tests with Python peers,
    /// when there is a Python that can install them, which is then done in target/python; and those with neovim.
    Test(TestOptions),
    /// Runs what takes too long for every change: a hundred thousand seeds of the simulation, the mutants that it has to
    /// notice, ten minutes of fuzzing for each target, and the tests that are ignored
    /// elsewhere (soaks and sweeps, those with Python peers included). Goes on after a failure, and ends with a summary of
    /// the figures.
    ///
    /// A test adds a figure to the summary by printing a line that begins with `figure: `.
    Nightly(InstallOptions),
    /// Runs all that has to hold before a change goes in: formatting, lints, documentation, tests, examples, packages,
    /// a short benchmark to see that it works, a minute of fuzzing, and the count of instructions.
    Ci(InstallOptions),
    /// Gives the readers of what peers send all kinds of bytes, and fails when one of them panics or breaks a promise.
    Fuzz(FuzzOptions),
    /// Counts the instructions on the path of a call, and fails when one of the counts is more than 3 % over what
    /// benches/instructions.toml has for it, or a whole call more than 3 % over its base there. Needs valgrind and a runner
    /// for it.
    Instructions(InstructionsOptions),
    /// Breaks promises in a copy of the sources, one at a time, and fails when a thousand seeds of the simulation do not
    /// notice. Takes some minutes.
    Mutants,
    /// Runs the whole benchmark, and writes its tables to docs/performance.md and its plots beside it. Takes half an hour,
    /// on a machine that does nothing else. Needs protoc and capnp, to build the libraries that are compared.
    Bench,
}

/// What may be installed.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct InstallOptions {
    /// Installs what is missing first: cargo-nextest, which takes some minutes, and with apt-get etcd and protoc, Python
    /// and neovim; for `ci` also capnp, and what fuzzes and counts instructions; for `nightly` also what fuzzes.
    #[arg(long)]
    pub(crate) install: bool,
}

/// How to test.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    pub(crate) install: InstallOptions,
    /// Leaves out what takes longest: the tests with other peers (interop) and with processes that are killed (faults, hr),
    /// those that start an etcd, and the compile errors. Needs cargo-nextest.
    #[arg(long)]
    pub(crate) fast: bool,
}

/// How to fuzz.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct FuzzOptions {
    /// Installs what is missing first: cargo-fuzz, and a C++ compiler with apt-get.
    #[arg(long)]
    pub(crate) install: bool,
    /// For how long, each target.
    #[arg(long, default_value_t = 60)]
    pub(crate) seconds: u32,
}

/// How to count.
#[derive(Clone, Debug, Args)]
pub(crate) struct InstructionsOptions {
    /// Installs what is missing first: valgrind with apt-get, and its runner into target/tools, which takes a minute.
    #[arg(long)]
    pub(crate) install: bool,
    /// Writes the counts to benches/instructions.toml instead of failing. Without a reason, nothing in it grows; a base
    /// never changes.
    #[arg(long)]
    pub(crate) bless: bool,
    /// What the growth is good for; it stands beside the count.
    #[arg(long, requires = "bless")]
    pub(crate) reason: Option<String>,
}
