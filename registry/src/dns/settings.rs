use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use doge_base::{Address, Dialect, Env};

use super::template::Template;

/// All that a registry was built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) template: Template,
    pub(super) records: Records,
    pub(super) dialect: Dialect,
    /// Empty for those of the system.
    pub(super) servers: Vec<SocketAddr>,
    /// Between two looks.
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
    /// For one look, with all its questions.
    pub(super) timeout: Duration,
    pub(super) env: Env,
}

/// Which records make instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Records {
    /// A and AAAA, all with this port.
    Addresses { port: u16 },
    /// SRV.
    Srv,
}

impl Settings {
    /// Where an instance is called.
    pub(super) fn address(&self, place: SocketAddr) -> String {
        Address::tcp(place).with_dialect(self.dialect).to_string()
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.records {
            Records::Addresses { port } => write!(f, "dns://{}:{port}", self.template),
            Records::Srv => write!(f, "dns+srv://{}", self.template),
        }
    }
}
