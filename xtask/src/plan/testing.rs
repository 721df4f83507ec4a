use super::{InstallOptions, Step, features::Features, installed::Installed};
use crate::{etcd, neovim, nextest, options::TestOptions, python};

/// The tests of all crates, and those in their documentation, which no other runner knows.
pub(super) fn steps(options: TestOptions, installed: Installed) -> Vec<Step> {
    if options.fast {
        return fast(options.install, installed);
    }
    let (mut steps, installed) = prepare(options.install, installed);
    let features = Features::of(installed);
    steps.extend([tests(&features, installed.nextest), documented(&features)]);
    steps
}

/// The tests that are ignored elsewhere, as they take too long for every change.
pub(super) fn ignored(options: InstallOptions, installed: Installed) -> Vec<Step> {
    let (mut steps, installed) = prepare(options, installed);
    let features = Features::of(installed);
    let command = if installed.nextest {
        let options = "--profile nightly --run-ignored only --no-fail-fast --no-tests pass";
        features.command("nextest run", options)
    } else {
        features.command("test", "--tests --no-fail-fast -- --ignored --nocapture")
    };
    steps.push(Step::found_out(features.title("ignored tests"), command));
    steps
}

/// What `--fast` leaves out. The packages are not built; the profile `fast` in `.config/nextest.toml` has the rest.
const SLOW_PACKAGES: [&str; 2] = ["doge-interop", "doge-faults"];
const LEFT_OUT: &str = "--fast leaves out: the packages doge-interop and doge-faults, the compile errors (`ui`), the simulation, the tests \
    that start an etcd, and the processes of hr. `cargo xtask test` runs all.";

fn fast(options: InstallOptions, installed: Installed) -> Vec<Step> {
    eprintln!("{LEFT_OUT}");
    let mut steps = Vec::new();
    if !installed.nextest {
        if !options.install {
            eprintln!("It needs cargo-nextest, which is installed first.");
        }
        steps.push(nextest::INSTALL);
    }
    let features = Features::of_packages(installed);
    let excluded = SLOW_PACKAGES.map(|package| format!("--exclude {package} "));
    let excluded = excluded.concat();
    let run = format!("{excluded}--profile fast --no-fail-fast");
    let documentation = format!("{excluded}--doc");
    steps.extend([
        Step::found_out(
            features.title("fast tests"),
            features.command("nextest run", &run),
        ),
        Step::found_out(
            features.title("examples in the documentation"),
            features.command("test", &documentation),
        ),
    ]);
    steps
}

/// The steps before any test, and what is there after them.
fn prepare(options: InstallOptions, installed: Installed) -> (Vec<Step>, Installed) {
    let (mut steps, installed) = if options.install {
        installed.complete()
    } else {
        tell_what_is_missing(installed);
        (Vec::new(), installed)
    };
    steps.extend(installed.python.map(python::peers));
    (steps, installed)
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
    use std::fs;

    use super::*;
    use crate::step::root;

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
        commands(&steps(all(install), installed))
    }

    fn all(install: bool) -> TestOptions {
        let install = InstallOptions { install };
        TestOptions {
            install,
            fast: false,
        }
    }

    fn commands(steps: &[Step]) -> Vec<String> {
        steps.iter().map(ToString::to_string).collect()
    }

    const PEERS: &str = "python3 interop/python/install.py target/python";
    const NEXTEST: &str = "cargo nextest run --workspace --features dns,testing,etcd,etcd-v2,python,neovim --no-fail-fast";
    const DOCUMENTED: &str =
        "cargo test --workspace --features dns,testing,etcd,etcd-v2,python,neovim --doc";

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
                "cargo test --workspace --features dns,testing --tests --no-fail-fast",
                "cargo test --workspace --features dns,testing --doc"
            ]
        );
        let without = Installed {
            python: None,
            ..ALL
        };
        assert_eq!(
            told(false, without)[0],
            "cargo nextest run --workspace --features dns,testing,etcd,etcd-v2,neovim --no-fail-fast"
        );
        let titles = |installed| {
            let steps = steps(all(false), installed);
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
    fn fast_tests_build_neither_peers_nor_faults_and_follow_their_profile() {
        let fast = TestOptions {
            fast: true,
            ..all(false)
        };
        let workspace = "--workspace --features dns,testing,etcd,etcd-v2 --exclude doge-interop --exclude doge-faults";
        assert_eq!(
            commands(&steps(fast, ALL)),
            [
                format!("cargo nextest run {workspace} --profile fast --no-fail-fast"),
                format!("cargo test {workspace} --doc"),
            ]
        );
    }

    #[test]
    fn what_the_fast_profile_leaves_out_is_there() {
        let config = fs::read_to_string(root().join(".config/nextest.toml")).unwrap();
        let config: toml::Table = toml::from_str(&config).unwrap();
        let filter = config["profile"]["fast"]["default-filter"].as_str();
        let expected =
            "not (binary(ui) | binary(simulation) | binary(/^etcd/) | (package(hr) & binary(cli)))";
        assert_eq!(filter, Some(expected));
        for path in [
            "tests/ui.rs",
            "tests/etcd.rs",
            "tests/simulation/main.rs",
            "examples/hr/tests/cli/main.rs",
        ] {
            assert!(root().join(path).exists(), "{path}");
        }
    }

    #[test]
    fn ignored_tests_are_run_with_the_features_of_the_others() {
        let options = InstallOptions { install: false };
        let run = "--workspace --features dns,testing,etcd,etcd-v2,python,neovim --profile nightly \
                   --run-ignored only --no-fail-fast --no-tests pass";
        assert_eq!(
            commands(&ignored(options, ALL)),
            [PEERS.to_owned(), format!("cargo nextest run {run}")]
        );
        let without = Installed {
            nextest: false,
            ..ALL
        };
        let command = commands(&ignored(options, without)).pop().unwrap();
        assert!(command.ends_with(" -- --ignored --nocapture"), "{command}");
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
