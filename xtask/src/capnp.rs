use super::{Step, apt, step::is_there};

/// Whether capnp can be run.
pub(crate) fn is_installed() -> bool {
    is_there("capnp", &["--version"])
}

/// The steps that install it.
pub(crate) fn install() -> [Step; 2] {
    apt::install("install capnp", "apt-get install --yes capnproto")
}
