use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use doge_base::Env;

use super::layout::Layout;
use super::tls::EtcdTls;
use crate::HoldBack;
use crate::remote::endpoint::Endpoint;

/// All that a registry was built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) layout: Layout,
    pub(super) ttl: Duration,
    pub(super) request_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) resync_interval: Duration,
    pub(super) silence_limit: Duration,
    pub(super) hold_back: HoldBack,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: Option<EtcdTls>,
    pub(super) snapshots: Option<PathBuf>,
    pub(super) env: Env,
}

impl Settings {
    /// The endpoints, for those who read an error.
    pub(super) fn named_endpoints(&self) -> String {
        let names: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

/// A user of etcd.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: String,
}

/// The password is nobody's business.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
