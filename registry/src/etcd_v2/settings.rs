use std::time::Duration;

use doge_base::Env;

use super::layout::Layout;
use crate::HoldBack;
use crate::remote::endpoint::Endpoint;

/// All that a registry was built with.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) layout: Layout,
    /// Whether those who are found speak with the meta map.
    pub(super) meta: bool,
    pub(super) ttl: Duration,
    pub(super) request_timeout: Duration,
    pub(super) silence_limit: Duration,
    pub(super) hold_back: HoldBack,
    pub(super) env: Env,
}

impl Settings {
    /// The endpoints, for those who read an error.
    pub(super) fn named_endpoints(&self) -> String {
        let names: Vec<String> = self.endpoints.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}
