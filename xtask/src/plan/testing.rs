use super::{Step, TestOptions};
use crate::nextest;

/// The tests of all crates, and those in their documentation, which no other runner knows.
pub(super) fn steps(options: TestOptions) -> Vec<Step> {
    let installed = nextest::is_installed();
    if !installed && !options.install {
        eprintln!(
            "cargo-nextest is not installed, so `cargo test` runs the tests. To install it:\n$ {}",
            nextest::INSTALL
        );
    }
    with(installed, options)
}

const NEXTEST: Step = Step::cargo("tests", "nextest run --workspace --no-fail-fast");

/// The same tests as nextest runs: no benchmarks, and the documentation has its own step.
const PLAIN: Step = Step::cargo("tests", "test --workspace --tests --no-fail-fast");

const DOCUMENTED: Step = Step::cargo("examples in the documentation", "test --workspace --doc");

fn with(installed: bool, options: TestOptions) -> Vec<Step> {
    match (installed, options.install) {
        (true, _) => vec![NEXTEST, DOCUMENTED],
        (false, true) => vec![nextest::INSTALL, NEXTEST, DOCUMENTED],
        (false, false) => vec![PLAIN, DOCUMENTED],
    }
}

#[cfg(test)]
mod tests {
    use super::{DOCUMENTED, NEXTEST, PLAIN, with};
    use crate::{nextest::INSTALL, options::TestOptions};

    #[test]
    fn nextest_runs_the_tests_where_it_is_or_may_be_installed() {
        let (leave, install) = (
            TestOptions { install: false },
            TestOptions { install: true },
        );
        assert_eq!(with(true, leave), [NEXTEST, DOCUMENTED]);
        assert_eq!(with(true, install), [NEXTEST, DOCUMENTED]);
        assert_eq!(with(false, install), [INSTALL, NEXTEST, DOCUMENTED]);
        assert_eq!(with(false, leave), [PLAIN, DOCUMENTED]);
    }
}
