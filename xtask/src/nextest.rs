use std::process::Stdio;

use super::{Step, step::cargo};

/// A fixed version, so that a new one that needs a newer Rust breaks nobody; unoptimised, since optimising it takes
/// longer than it would ever save here.
pub(crate) const INSTALL: Step = Step::cargo(
    "install the test runner",
    "install cargo-nextest --version 0.9.143 --locked --debug",
);

/// Whether cargo-nextest can be run.
pub(crate) fn is_installed() -> bool {
    cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
