use super::{Step, apt, step::is_there};

/// Whether etcd and protoc can be run.
pub(crate) fn is_installed() -> bool {
    is_there("etcd", &["--version"]) && is_there("protoc", &["--version"])
}

/// The steps that install what the etcd registry is built and tested with.
pub(crate) fn install() -> [Step; 2] {
    apt::install(
        "install etcd and protoc",
        "apt-get install --yes etcd-server protobuf-compiler libprotobuf-dev",
    )
}
