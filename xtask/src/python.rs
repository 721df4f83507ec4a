use super::{Step, apt, step::is_there};

/// That of the path, and that of apt-get: the first one that can install the peers does.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

const SCRIPT: &str = "interop/python/install.py";

/// Says what the Python of the path lacks.
pub(crate) const CHECK: Step = Step::program(
    "what Python lacks",
    PYTHONS[0],
    "interop/python/install.py --check",
);

/// The Python that can install the peers: with venv, headers and a C++ compiler, and neither too old nor too new.
pub(crate) fn find() -> Option<&'static str> {
    PYTHONS
        .into_iter()
        .find(|python| is_there(python, &[SCRIPT, "--check"]))
}

/// The steps that install one, and the one that it is.
pub(crate) fn install() -> ([Step; 2], &'static str) {
    let steps = apt::install(
        "install Python",
        "apt-get install --yes python3 python3-venv python3-dev g++",
    );
    (steps, PYTHONS[1])
}

/// The step that installs the peers, which does nothing when they are there.
pub(crate) fn peers(python: &'static str) -> Step {
    Step::program(
        "the Python peers",
        python,
        "interop/python/install.py target/python",
    )
}
