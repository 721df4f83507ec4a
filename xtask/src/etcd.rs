use super::{Step, step::is_there};

const LISTS: &str = "the lists of packages";

const PACKAGES: &str = "install etcd and protoc";

/// What the etcd registry is built and tested with, on Debian and Ubuntu.
const AS_ROOT: [Step; 2] = [
    Step::program(LISTS, "apt-get", "update"),
    Step::program(
        PACKAGES,
        "apt-get",
        "install --yes etcd-server protobuf-compiler libprotobuf-dev",
    ),
];

const WITH_SUDO: [Step; 2] = [
    Step::program(LISTS, "sudo", "apt-get update"),
    Step::program(
        PACKAGES,
        "sudo",
        "apt-get install --yes etcd-server protobuf-compiler libprotobuf-dev",
    ),
];

/// Whether etcd and protoc can be run.
pub(crate) fn is_installed() -> bool {
    is_there("etcd", &["--version"]) && is_there("protoc", &["--version"])
}

/// The steps that install them.
pub(crate) fn install() -> [Step; 2] {
    let is_root = is_there("test", &["-w", "/usr/bin"]);
    if is_root { AS_ROOT } else { WITH_SUDO }
}
