use crate::{
    Step, apt,
    step::{is_there, output, root},
};

/// The runner has to be of the very version that the benchmark is built with.
const VERSION: &str = "gungraun-runner 0.20.0";

/// As seen from the root of the workspace; the benchmark has its own way there.
const RUNNER: &str = "target/tools/bin/gungraun-runner";

/// Unoptimised and without debug information: building it takes longer than it ever runs.
const INSTALL_RUNNER: Step = Step::cargo(
    "install the runner of the counts",
    "install gungraun-runner --version =0.20.0 --locked --debug --root target/tools",
)
.with_variable("CARGO_PROFILE_DEV_DEBUG", "0");

/// The steps that install what is not there.
pub(crate) fn missing() -> Vec<Step> {
    let mut steps = Vec::new();
    if !is_there("valgrind", &["--version"]) {
        steps.extend(apt::install(
            "install valgrind",
            "apt-get install --yes --no-install-recommends valgrind",
        ));
    }
    if output(root().join(RUNNER), &["--version"]).as_deref() != Some(VERSION) {
        steps.push(INSTALL_RUNNER);
    }
    steps
}

/// Says how to install it.
pub(crate) fn tell_what_is_missing(missing: &[Step]) {
    eprintln!("What counts instructions is not installed. To install it:");
    for step in missing {
        eprintln!("$ {step}");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{INSTALL_RUNNER, VERSION};
    use crate::step::root;

    #[test]
    fn the_runner_is_of_the_version_of_the_library() {
        let manifest = fs::read_to_string(root().join("benches/Cargo.toml")).unwrap();
        let version = VERSION.split(' ').nth(1).unwrap();
        assert!(manifest.contains(&format!("gungraun = {{ version = \"={version}\"")));
        assert!(INSTALL_RUNNER.to_string().contains(version));
    }
}
