use super::{Step, TestOptions, features::Features, installed::Installed};
use crate::{etcd, neovim, nextest, python};

/// The tests of all crates, and those in their documentation, which no other runner knows.
pub(super) fn steps(options: TestOptions, installed: Installed) -> Vec<Step> {
    let (mut steps, installed) = if options.install {
        installed.complete()
    } else {
        tell_what_is_missing(installed);
        (Vec::new(), installed)
    };
    steps.extend(installed.python.map(python::peers));
    let features = Features::of(installed);
    steps.extend([tests(&features, installed.nextest), documented(&features)]);
    steps
}

/// Either runner runs the same: no benchmarks, and the documentation has its own step.
fn tests(features: &Features, nextest: bool) -> Step {
    let command = if nextest {
        features.command("nextest run", "--no-fail-fast")
    } else {
        features.command("test", "--tests --no-fail-fast")
    };
    Step::found_out(features.title("tests"), command)
}

fn documented(features: &Features) -> Step {
    Step::found_out(
        features.title("examples in the documentation"),
        features.command("test", "--doc"),
    )
}

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
    if installed.python.is_none() {
        let ([lists, packages], _) = python::install();
        eprintln!(
            "There is no Python with venv, headers and a C++ compiler, of a version that the Python peers work with, so nothing is tested with them. To see what yours lacks:\n$ {}\nTo install one:\n$ {lists}\n$ {packages}",
            python::CHECK
        );
    }
    if !installed.neovim {
        let [lists, packages] = neovim::install();
        eprintln!(
            "neovim is not installed, so nothing is tested with it. To install it:\n$ {lists}\n$ {packages}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Installed = Installed {
        nextest: false,
        etcd: false,
        python: None,
        neovim: false,
        capnp: false,
    };

    const ALL: Installed = Installed {
        nextest: true,
        etcd: true,
        python: Some("python3"),
        neovim: true,
        capnp: true,
    };

    /// The commands, and what is said to come of the tests.
    fn told(install: bool, installed: Installed) -> Vec<String> {
        let steps = steps(TestOptions { install }, installed);
        steps.iter().map(ToString::to_string).collect()
    }

    const PEERS: &str = "python3 interop/python/install.py target/python";
    const NEXTEST: &str =
        "cargo nextest run --workspace --features etcd,etcd-v2,python,neovim --no-fail-fast";
    const DOCUMENTED: &str = "cargo test --workspace --features etcd,etcd-v2,python,neovim --doc";

    #[test]
    fn where_all_is_there_all_is_tested_and_nothing_installed() {
        for install in [false, true] {
            assert_eq!(told(install, ALL), [PEERS, NEXTEST, DOCUMENTED]);
        }
    }

    #[test]
    fn what_is_not_there_is_left_out_and_the_run_says_so() {
        assert_eq!(
            told(false, NONE),
            [
                "cargo test --workspace --tests --no-fail-fast",
                "cargo test --workspace --doc"
            ]
        );
        let without = Installed {
            python: None,
            ..ALL
        };
        assert_eq!(
            told(false, without)[0],
            "cargo nextest run --workspace --features etcd,etcd-v2,neovim --no-fail-fast"
        );
        let titles = |installed| {
            let steps = steps(TestOptions { install: false }, installed);
            steps
                .iter()
                .map(|step| step.what().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(titles(ALL)[1], "tests");
        assert_eq!(titles(without)[0], "tests, without those of Python");
        assert_eq!(
            titles(NONE)[0],
            "tests, without those of etcd, Python and neovim"
        );
    }

    #[test]
    fn what_is_not_there_is_installed_where_it_may_be() {
        let told = told(true, NONE);
        assert_eq!(told[0], nextest::INSTALL.to_string());
        let installed: Vec<_> = told
            .iter()
            .filter(|it| it.contains("apt-get install"))
            .collect();
        for (command, package) in installed
            .iter()
            .zip(["etcd-server", "python3-venv", "neovim"])
        {
            assert!(command.contains(package), "{command}");
        }
        assert_eq!(installed.len(), 3);
        assert_eq!(
            told[told.len() - 3..],
            [
                &PEERS.replace("python3 ", "/usr/bin/python3 "),
                NEXTEST,
                DOCUMENTED
            ]
        );
    }
}
