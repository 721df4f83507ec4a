//! Ejection as a whole: health, ejector and time.

mod ejections;
mod promises;
mod properties;
mod simulation;

use doge_base::Env;
use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Ejector, Health, HealthConfig, HealthOutcome, ejector::Sweep};

/// No endpoints.
const NONE: [usize; 0] = [];

/// Endpoints of a cluster under a clock of their own.
struct Rig {
    config: HealthConfig,
    endpoints: Vec<Arc<Health>>,
    ejector: Ejector,
    now: Instant,
}

impl Rig {
    fn new(count: usize, config: HealthConfig) -> Self {
        let now = Instant::now();
        Self {
            endpoints: (0..count).map(|_| Arc::new(Health::new(&config))).collect(),
            ejector: Ejector::new(config.clone(), Env::system(), now),
            config,
            now,
        }
    }

    /// True when one of these asked for a look.
    fn record(&self, endpoint: usize, outcome: HealthOutcome, times: usize) -> bool {
        (0..times).fold(false, |asked, _| {
            self.endpoints[endpoint].record(outcome) || asked
        })
    }

    fn sweep(&mut self) -> Sweep {
        let sweep = self.ejector.sweep(self.now, &self.endpoints);
        assert!(sweep.next > self.now, "a look asks for itself again");
        sweep
    }

    /// Lets time pass, without a look.
    fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Lets the interval pass, and looks.
    fn end_interval(&mut self) -> Sweep {
        self.pass(self.config.interval);
        self.sweep()
    }

    fn ejected(&self) -> Vec<usize> {
        (0..self.endpoints.len())
            .filter(|index| self.endpoints[*index].is_ejected())
            .collect()
    }
}

/// Without chance.
fn exact() -> HealthConfig {
    HealthConfig {
        jitter: 0.0,
        ..HealthConfig::default()
    }
}
