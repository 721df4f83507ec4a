use doge_interop::{Meta, Server};
use doge_test_support::{Process, free_port};

use crate::ours;

/// An instance, which is a process.
pub(crate) struct Member {
    kind: Kind,
    process: Process,
    pub(crate) port: u16,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// With the meta map.
    Python,
    /// Without.
    PlainPython,
    Rust,
}

impl Member {
    pub(crate) fn start(kind: Kind) -> Self {
        Self::start_at(kind, free_port())
    }

    fn start_at(kind: Kind, port: u16) -> Self {
        let process = match kind {
            Kind::Python => Server::mprpc_at(port, Meta::First, &[]).process,
            Kind::PlainPython => Server::mprpc_at(port, Meta::Absent, &[]).process,
            Kind::Rust => ours::start_at(port),
        };
        Self {
            kind,
            process,
            port,
        }
    }

    /// What a registry has of it: doge registers itself without a scheme.
    pub(crate) fn entry(&self) -> String {
        let scheme = match self.kind {
            Kind::Python => "",
            Kind::PlainPython => "msgpack-rpc://",
            Kind::Rust => "tcp://",
        };
        format!("{scheme}127.0.0.1:{}", self.port)
    }

    /// So that it cannot notice.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        self.process.terminate();
        let ended = self.process.wait(crate::LIMIT);
        assert!(ended.success(), "{ended}");
    }

    /// Starts it where it was.
    pub(crate) fn restart(&mut self) {
        *self = Self::start_at(self.kind, self.port);
    }
}
