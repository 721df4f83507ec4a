use super::Step;
use crate::{capnp, etcd, nextest};

/// Which of the programs that not everybody has are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) nextest: bool,
    /// And protoc, without which nothing that uses etcd can be built.
    pub(super) etcd: bool,
    /// Without which the peers in the benchmark cannot be built.
    pub(super) capnp: bool,
}

impl Installed {
    pub(super) const ALL: Self = Self {
        nextest: true,
        etcd: true,
        capnp: true,
    };

    pub(super) fn look() -> Self {
        Self {
            nextest: nextest::is_installed(),
            etcd: etcd::is_installed(),
            capnp: capnp::is_installed(),
        }
    }

    /// The steps that install what is not there.
    pub(super) fn missing(self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.nextest {
            steps.push(nextest::INSTALL);
        }
        if !self.etcd {
            steps.extend(etcd::install());
        }
        steps
    }
}
