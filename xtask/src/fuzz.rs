use crate::{
    Step, apt,
    options::FuzzOptions,
    step::{is_there, root},
};

/// A fixed version, unoptimised: it only starts what it builds.
const INSTALL: Step = Step::cargo(
    "install the fuzzer",
    "install cargo-fuzz --version 0.13.2 --locked --debug",
);

/// The targets: each a file in `fuzz/fuzz_targets/`, with inputs to begin with in `fuzz/seeds/`.
const TARGETS: [&str; 1] = ["msgpack_rpc"];

/// The steps that install what is not there: the fuzzer, and a C++ compiler for what it is linked with.
pub(crate) fn missing() -> Vec<Step> {
    let mut steps = Vec::new();
    if !is_there("g++", &["--version"]) && !is_there("c++", &["--version"]) {
        steps.extend(apt::install(
            "install a C++ compiler",
            "apt-get install --yes g++",
        ));
    }
    if !is_there("cargo", &["fuzz", "--version"]) {
        steps.push(INSTALL);
    }
    steps
}

/// Says how to install it.
pub(crate) fn tell_what_is_missing(missing: &[Step]) {
    eprintln!("What fuzzes is not installed. To install it:");
    for step in missing {
        eprintln!("$ {step}");
    }
}

/// Fuzzes each target for as long as was asked for.
pub(crate) fn steps(options: FuzzOptions) -> Vec<Step> {
    let mut steps = if options.install {
        missing()
    } else {
        Vec::new()
    };
    for target in TARGETS {
        let corpus = format!("target/fuzz/corpus/{target}");
        // What is found on the way is kept there, and is where the next run begins.
        let created = std::fs::create_dir_all(root().join(&corpus));
        debug_assert!(
            created.is_ok(),
            "the fuzzer says what is the matter with it"
        );
        // No sanitizer: it needs a nightly compiler, and looks for what code without `unsafe` cannot do.
        let arguments = format!(
            "fuzz run --sanitizer none --target-dir target/fuzz {target} {corpus} fuzz/seeds/{target} -- \
             -max_total_time={} -max_len=2048 -timeout=10 -rss_limit_mb=512 -print_final_stats=1",
            options.seconds
        );
        steps.push(Step::found_out(format!("fuzzing: {target}"), arguments));
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::TARGETS;
    use crate::step::root;

    #[test]
    fn every_target_is_fuzzed_and_has_inputs_to_begin_with() {
        let names = |folder: &str| -> BTreeSet<String> {
            let entries = fs::read_dir(root().join(folder)).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names
                .map(|name| name.trim_end_matches(".rs").to_owned())
                .collect()
        };
        let targets: BTreeSet<_> = TARGETS.iter().map(|target| (*target).to_owned()).collect();
        assert_eq!(names("fuzz/fuzz_targets"), targets);
        assert_eq!(names("fuzz/seeds"), targets);
    }
}
