use super::{Step, apt, step::is_there};

/// Whether neovim can be run.
pub(crate) fn is_installed() -> bool {
    is_there("nvim", &["--version"])
}

/// The steps that install it.
pub(crate) fn install() -> [Step; 2] {
    apt::install("install neovim", "apt-get install --yes neovim")
}
