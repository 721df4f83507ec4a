//! What each task is made of.

mod examples;
mod features;
mod installed;
mod testing;

use self::{examples::EXAMPLES, installed::Installed};
use super::{
    Step, capnp, fuzz, instructions, mutants,
    options::{FuzzOptions, InstallOptions, Task},
    python,
};

/// The steps of a task, in order.
pub(crate) fn steps(task: &Task) -> Vec<Step> {
    match task {
        Task::Test(options) => testing::steps(*options, Installed::look()),
        Task::Nightly(options) => nightly(*options, Installed::look()),
        Task::Ci(options) => ci(*options, Installed::look()),
        Task::Fuzz(options) => fuzz::steps(*options),
        Task::Instructions(options) => instructions::steps(options),
        Task::Mutants => mutants::steps(),
        Task::Bench => bench(),
    }
}

const FORMATTING: Step = Step::cargo("formatting", "fmt --all --check");

/// What is fuzzed is a workspace of its own.
const FORMATTING_OF_FUZZING: Step = Step::cargo(
    "formatting of what is fuzzed",
    "fmt --check --manifest-path fuzz/Cargo.toml",
);

/// A program that does not use etcd needs no protoc, and every crate has to build without it. The only lint of what
/// counts instructions.
const LINTS_WITHOUT_PROTOC: Step = Step::cargo(
    "lints, without protoc",
    "clippy --workspace --all-targets --features doge-benches/instructions -- -D warnings",
)
.with_variable("PROTOC", "/nowhere/protoc");

/// The registries share code that only some of them need.
const LINTS_OF_DNS: Step = Step::cargo(
    "lints of DNS as the only registry of its kind",
    "clippy --package doge-registry --package doge-rpc --all-targets --features dns -- -D warnings",
);

const LINTS: Step = Step::cargo(
    "lints",
    "clippy --workspace --all-targets --features dns,testing,etcd,etcd-v2,python,neovim -- -D warnings",
);

const LINTS_OF_PEERS: Step = Step::cargo(
    "lints of the peers in the benchmark",
    "clippy --package doge-benches --features peers --all-targets -- -D warnings",
);

const DOCUMENTATION: Step = Step::cargo(
    "documentation",
    "doc --workspace --features dns,testing,etcd,etcd-v2 --no-deps",
)
.with_variable("RUSTDOCFLAGS", "-D warnings");

const DOCUMENTATION_WITHOUT_ETCD: Step = Step::cargo(
    "documentation, without that of etcd",
    "doc --workspace --features dns,testing,etcd-v2 --no-deps",
)
.with_variable("RUSTDOCFLAGS", "-D warnings");

/// What is published can be packaged. Not built from the package: cargo keeps the sources that it unpacks for that, and
/// would build later changes of one crate against the first state of another.
const PACKAGES: Step = Step::cargo(
    "packages",
    "package --workspace --exclude doge-benches --exclude doge-faults --exclude doge-interop --exclude doge-test-support --exclude hello --exclude hr --exclude layers --exclude xtask --no-verify --allow-dirty",
);

const SHORT_BENCHMARK: Step = Step::cargo(
    "short benchmark",
    "bench --package doge-benches --features instructions --bench end_to_end -- --quick",
);

/// Before the benchmark, which takes over what it finds out.
const PICKING: Step = Step::cargo(
    "choice of endpoints",
    "bench --package doge-benches --features peers --bench balance -- --warm-up-time 1 --measurement-time 2 pick/",
);

const BENCHMARK: Step = Step::cargo(
    "benchmark",
    "bench --package doge-benches --features peers --bench end_to_end -- --markdown docs/performance.md",
);

const BESIDE_PYTHON: Step = Step::cargo(
    "benchmark beside Python",
    "bench --package doge-benches --features peers --bench beside_python -- --markdown docs/performance.md",
);

/// Behind the short benchmark, which is built with the same features so that nothing is built twice.
const INSTRUCTIONS: Step = Step::cargo("instructions", "xtask instructions");

const INSTRUCTIONS_INSTALLING: Step = Step::cargo("instructions", "xtask instructions --install");

const FUZZING: Step = Step::cargo("fuzzing", "xtask fuzz");

const FUZZING_INSTALLING: Step = Step::cargo("fuzzing", "xtask fuzz --install");

/// The very command that the README names.
const TESTS: Step = Step::cargo("tests", "xtask test");

const TESTS_INSTALLING: Step = Step::cargo("tests", "xtask test --install");

/// Long enough for a target to find what a minute does not.
const NIGHTLY_FUZZING_SECONDS: u32 = 600;

/// As many seeds as take half an hour.
const SIMULATION: Step = Step::cargo(
    "a hundred thousand seeds of the simulation",
    "test --profile simulation --package doge-rpc --features testing --test simulation promises_hold_from_seed_0",
)
.with_variable("DOGE_SEEDS", "100000");

const MUTANTS: Step = Step::cargo("mutants", "xtask mutants");

fn nightly(options: InstallOptions, installed: Installed) -> Vec<Step> {
    let mut steps = testing::ignored(options, installed);
    steps.extend([LINTS_OF_DNS, SIMULATION, MUTANTS]);
    let missing = fuzz::missing();
    if options.install || missing.is_empty() {
        steps.extend(fuzz::steps(FuzzOptions {
            install: options.install,
            seconds: NIGHTLY_FUZZING_SECONDS,
        }));
    } else {
        fuzz::tell_what_is_missing(&missing);
    }
    steps
}

fn bench() -> Vec<Step> {
    let mut steps = vec![PICKING, BENCHMARK];
    match python::find() {
        Some(python) => steps.extend([python::peers(python), BESIDE_PYTHON]),
        None => eprintln!("Python is not there as it has to be, so its table stays as it is."),
    }
    steps
}

/// What is quick to fail comes first.
fn ci(options: InstallOptions, installed: Installed) -> Vec<Step> {
    let mut steps = vec![FORMATTING, FORMATTING_OF_FUZZING, LINTS_WITHOUT_PROTOC];
    if options.install {
        steps.extend(installed.complete().0);
        if !installed.capnp {
            steps.extend(capnp::install());
        }
    }
    if options.install || installed.etcd {
        steps.extend([LINTS, DOCUMENTATION]);
    } else {
        steps.push(DOCUMENTATION_WITHOUT_ETCD);
    }
    // Some of their code is generated by protoc.
    if options.install || (installed.etcd && installed.capnp) {
        steps.push(LINTS_OF_PEERS);
    }
    steps.push(if options.install {
        TESTS_INSTALLING
    } else {
        TESTS
    });
    steps.extend(EXAMPLES);
    steps.extend([PACKAGES, SHORT_BENCHMARK]);
    let missing = fuzz::missing();
    if options.install {
        steps.push(FUZZING_INSTALLING);
    } else if missing.is_empty() {
        steps.push(FUZZING);
    } else {
        fuzz::tell_what_is_missing(&missing);
    }
    let missing = instructions::tools::missing();
    if options.install {
        steps.push(INSTRUCTIONS_INSTALLING);
    } else if missing.is_empty() {
        steps.push(INSTRUCTIONS);
    } else {
        instructions::tools::tell_what_is_missing(&missing);
    }
    steps
}
