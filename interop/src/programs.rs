use std::{path::Path, process::Command};

/// A script of `interop/python`, to be run.
#[track_caller]
pub(crate) fn python(script: &str) -> Command {
    const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/python/bin/python");
    assert!(
        Path::new(PYTHON).exists(),
        "the Python peers are not installed; to install them:\n$ python3 interop/python/install.py target/python"
    );
    let mut command = Command::new(PYTHON);
    command.arg(here("python").join(script));
    command
}

/// Neovim without anybody's settings, which does this first.
pub(crate) fn neovim(first: &str) -> Command {
    let mut command = Command::new("nvim");
    command.args(["--headless", "--clean", "-c", first]);
    command
}

/// Runs a script of `interop/neovim`.
pub(crate) fn neovim_script(script: &str) -> Command {
    neovim(&format!(
        "luafile {}",
        here("neovim").join(script).display()
    ))
}

fn here(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}
