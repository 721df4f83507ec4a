use super::{Step, TestOptions, installed::Installed};
use crate::{etcd, nextest};

/// The tests of all crates, and those in their documentation, which no other runner knows.
pub(super) fn steps(options: TestOptions, installed: Installed) -> Vec<Step> {
    let mut steps = Vec::new();
    if options.install {
        steps.extend(installed.missing());
    } else {
        tell_what_is_missing(installed);
    }
    let runs = if options.install {
        Installed::ALL
    } else {
        installed
    };
    steps.extend(match (runs.nextest, runs.etcd) {
        (true, true) => [NEXTEST, DOCUMENTED],
        (true, false) => [NEXTEST_WITHOUT_ETCD, DOCUMENTED_WITHOUT_ETCD],
        (false, true) => [PLAIN, DOCUMENTED],
        (false, false) => [PLAIN_WITHOUT_ETCD, DOCUMENTED_WITHOUT_ETCD],
    });
    steps
}

const NEXTEST: Step = Step::cargo(
    "tests",
    "nextest run --workspace --features etcd --no-fail-fast",
);

const NEXTEST_WITHOUT_ETCD: Step = Step::cargo(
    "tests, without those of etcd",
    "nextest run --workspace --no-fail-fast",
);

/// The same tests as nextest runs: no benchmarks, and the documentation has its own step.
const PLAIN: Step = Step::cargo(
    "tests",
    "test --workspace --features etcd --tests --no-fail-fast",
);

const PLAIN_WITHOUT_ETCD: Step = Step::cargo(
    "tests, without those of etcd",
    "test --workspace --tests --no-fail-fast",
);

const DOCUMENTED: Step = Step::cargo(
    "examples in the documentation",
    "test --workspace --features etcd --doc",
);

const DOCUMENTED_WITHOUT_ETCD: Step = Step::cargo(
    "examples in the documentation, without those of etcd",
    "test --workspace --doc",
);

fn tell_what_is_missing(installed: Installed) {
    if !installed.nextest {
        eprintln!(
            "cargo-nextest is not installed, so `cargo test` runs the tests. To install it:\n$ {}",
            nextest::INSTALL
        );
    }
    if !installed.etcd {
        let [lists, packages] = etcd::install();
        eprintln!(
            "etcd and protoc are not installed, so the etcd registry is not tested. To install them:\n$ {lists}\n$ {packages}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Installed = Installed {
        nextest: false,
        etcd: false,
        capnp: false,
    };

    fn told(install: bool, installed: Installed) -> Vec<Step> {
        steps(TestOptions { install }, installed)
    }

    #[test]
    fn nextest_runs_the_tests_where_it_is_or_may_be_installed() {
        let without = Installed {
            nextest: false,
            ..Installed::ALL
        };
        assert_eq!(told(false, Installed::ALL), [NEXTEST, DOCUMENTED]);
        assert_eq!(told(true, Installed::ALL), [NEXTEST, DOCUMENTED]);
        assert_eq!(told(true, without), [nextest::INSTALL, NEXTEST, DOCUMENTED]);
        assert_eq!(told(false, without), [PLAIN, DOCUMENTED]);
    }

    #[test]
    fn etcd_is_tested_where_it_is_or_may_be_installed() {
        let without = Installed {
            etcd: false,
            ..Installed::ALL
        };
        assert_eq!(
            told(false, without),
            [NEXTEST_WITHOUT_ETCD, DOCUMENTED_WITHOUT_ETCD]
        );
        let [lists, packages] = etcd::install();
        assert_eq!(told(true, without), [lists, packages, NEXTEST, DOCUMENTED]);
        assert_eq!(
            told(false, NONE),
            [PLAIN_WITHOUT_ETCD, DOCUMENTED_WITHOUT_ETCD]
        );
        assert_eq!(
            told(true, NONE),
            [nextest::INSTALL, lists, packages, NEXTEST, DOCUMENTED]
        );
    }
}
