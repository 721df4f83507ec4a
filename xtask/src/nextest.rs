use super::{Step, step::is_there};

/// A fixed version, so that a new one that needs a newer Rust breaks nobody; unoptimised, since optimising it takes
/// longer than it would ever save here.
pub(crate) const INSTALL: Step = Step::cargo(
    "install the test runner",
    "install cargo-nextest --version 0.9.143 --locked --debug",
);

/// Whether cargo-nextest can be run.
pub(crate) fn is_installed() -> bool {
    is_there("cargo", &["nextest", "--version"])
}
