use std::sync::Arc;

use tokio::time::Instant;

use super::{Health, HealthConfig};

/// Decides which endpoints of a cluster are ejected.
#[derive(Debug)]
pub(crate) struct Ejector {
    config: HealthConfig,
    /// When endpoints are compared next.
    compare_at: Instant,
}

/// What a look at the endpoints came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// Endpoints that are ejected as of now, by their place in the list.
    pub(crate) ejected: Vec<usize>,
    /// Endpoints whose time is over, by their place in the list. Each is named once, and stays ejected until
    /// [`Ejector::restored`] or [`Ejector::still_bad`] is told how a probe of it went.
    pub(crate) probe: Vec<usize>,
    /// When to look again at the latest. Later than the moment of this look.
    pub(crate) next: Instant,
}

impl Ejector {
    /// Compares endpoints at each interval from now on.
    pub(crate) fn new(config: HealthConfig, now: Instant) -> Self {
        Self {
            compare_at: now + config.interval,
            config,
        }
    }

    /// Looks at all endpoints. To be called at `next` of the look before, and whenever [`Health::record`] says so.
    pub(crate) fn sweep(&mut self, _now: Instant, _endpoints: &[Arc<Health>]) -> Sweep {
        Sweep {
            ejected: Vec::new(),
            probe: Vec::new(),
            next: self.compare_at + self.config.interval,
        }
    }

    /// A probe went well: the endpoint is back in rotation.
    pub(crate) fn restored(&mut self, _now: Instant, _endpoint: &Health) {}

    /// A probe failed: the endpoint stays out, for longer.
    pub(crate) fn still_bad(&mut self, _now: Instant, _endpoint: &Health) {}
}
