use super::Step;
use crate::{capnp, etcd, neovim, nextest, python};

/// Which of the programs that not everybody has are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    pub(super) nextest: bool,
    /// And protoc, without which nothing that uses etcd can be built.
    pub(super) etcd: bool,
    /// The Python that can install the peers of the tests.
    pub(super) python: Option<&'static str>,
    pub(super) neovim: bool,
    /// Without which the peers in the benchmark cannot be built.
    pub(super) capnp: bool,
}

impl Installed {
    pub(super) fn look() -> Self {
        Self {
            nextest: nextest::is_installed(),
            etcd: etcd::is_installed(),
            python: python::find(),
            neovim: neovim::is_installed(),
            capnp: capnp::is_installed(),
        }
    }

    /// The steps that install what tests need and is not there, and what is there then.
    pub(super) fn complete(self) -> (Vec<Step>, Self) {
        let mut steps = Vec::new();
        if !self.nextest {
            steps.push(nextest::INSTALL);
        }
        if !self.etcd {
            steps.extend(etcd::install());
        }
        let python = self.python.unwrap_or_else(|| {
            let (install, python) = python::install();
            steps.extend(install);
            python
        });
        if !self.neovim {
            steps.extend(neovim::install());
        }
        let complete = Self {
            nextest: true,
            etcd: true,
            python: Some(python),
            neovim: true,
            ..self
        };
        (steps, complete)
    }
}
