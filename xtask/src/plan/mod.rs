//! What each task is made of.

mod examples;
mod installed;
mod testing;

use self::{examples::EXAMPLES, installed::Installed};
use super::{
    Step, instructions,
    options::{Task, TestOptions},
};

/// The steps of a task, in order.
pub(crate) fn steps(task: &Task) -> Vec<Step> {
    match task {
        Task::Test(options) => testing::steps(*options, Installed::look()),
        Task::Ci(options) => ci(*options, Installed::look()),
        Task::Instructions(options) => instructions::steps(options),
        Task::Bench => vec![BENCHMARK],
    }
}

const FORMATTING: Step = Step::cargo("formatting", "fmt --all --check");

/// A program that does not use etcd needs no protoc, and every crate has to build without it. The only lint of what
/// counts instructions.
const LINTS_WITHOUT_PROTOC: Step = Step::cargo(
    "lints, without protoc",
    "clippy --workspace --all-targets --features doge-benches/instructions -- -D warnings",
)
.with_variable("PROTOC", "/nowhere/protoc");

const LINTS: Step = Step::cargo(
    "lints",
    "clippy --workspace --all-targets --features etcd -- -D warnings",
);

const DOCUMENTATION: Step =
    Step::cargo("documentation", "doc --workspace --features etcd --no-deps")
        .with_variable("RUSTDOCFLAGS", "-D warnings");

const DOCUMENTATION_WITHOUT_ETCD: Step = Step::cargo(
    "documentation, without that of etcd",
    "doc --workspace --no-deps",
)
.with_variable("RUSTDOCFLAGS", "-D warnings");

/// What is published can be packaged. Not built from the package: cargo keeps the sources that it unpacks for that, and
/// would build later changes of one crate against the first state of another.
const PACKAGES: Step = Step::cargo(
    "packages",
    "package --workspace --exclude doge-benches --exclude doge-faults --exclude doge-test-support --exclude hello --exclude hr --exclude layers --exclude xtask --no-verify --allow-dirty",
);

const SHORT_BENCHMARK: Step = Step::cargo(
    "short benchmark",
    "bench --package doge-benches --features instructions --bench end_to_end -- --quick",
);

const BENCHMARK: Step = Step::cargo(
    "benchmark",
    "bench --package doge-benches --bench end_to_end -- --markdown docs/performance.md",
);

/// Behind the short benchmark, which is built with the same features so that nothing is built twice.
const INSTRUCTIONS: Step = Step::cargo("instructions", "xtask instructions");

const INSTRUCTIONS_INSTALLING: Step = Step::cargo("instructions", "xtask instructions --install");

/// The very command that the README names.
const TESTS: Step = Step::cargo("tests", "xtask test");

const TESTS_INSTALLING: Step = Step::cargo("tests", "xtask test --install");

/// What is quick to fail comes first.
fn ci(options: TestOptions, installed: Installed) -> Vec<Step> {
    let mut steps = vec![FORMATTING, LINTS_WITHOUT_PROTOC];
    if options.install {
        steps.extend(installed.missing());
    }
    if options.install || installed.etcd {
        steps.extend([LINTS, DOCUMENTATION]);
    } else {
        steps.push(DOCUMENTATION_WITHOUT_ETCD);
    }
    steps.push(if options.install {
        TESTS_INSTALLING
    } else {
        TESTS
    });
    steps.extend(EXAMPLES);
    steps.extend([PACKAGES, SHORT_BENCHMARK]);
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
