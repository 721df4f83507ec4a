use std::{sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_core::Deadline;
use tokio::time::Instant;

use super::{
    Health, HealthConfig,
    endpoint::{Ejection, Stage},
    statistics::Share,
};

/// Decides which endpoints of a cluster are ejected, and when a probe may bring them back.
///
/// One cluster has one, which sees all of its endpoints. It keeps what it knows of an endpoint in its [`Health`].
#[derive(Debug)]
pub(crate) struct Ejector {
    config: HealthConfig,
    env: Env,
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

/// Endpoints are not compared more often than this, whatever the configuration says.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

impl Ejector {
    /// Compares endpoints at each interval from now on.
    pub(crate) fn new(config: HealthConfig, env: Env, now: Instant) -> Self {
        let mut ejector = Self {
            config,
            env,
            compare_at: now,
        };
        ejector.compare_at = ejector.next_comparison(now);
        ejector
    }

    /// Looks at all endpoints. To be called at `next` of the look before, and whenever [`Health::record`] says so.
    pub(crate) fn sweep(&mut self, now: Instant, endpoints: &[Arc<Health>]) -> Sweep {
        let mut ejected = Vec::new();
        let mut room = self.room(endpoints);
        for (index, endpoint) in endpoints.iter().enumerate() {
            if !endpoint.is_ejected() && endpoint.take_due() && room > 0 {
                self.eject(now, endpoint, self.config.consecutive_ejection);
                ejected.push(index);
                room -= 1;
            }
        }
        if self.compare_at <= now {
            for index in self.outliers(endpoints) {
                let endpoint = &endpoints[index];
                if room > 0 && !endpoint.is_ejected() {
                    self.eject(now, endpoint, self.config.base_ejection);
                    ejected.push(index);
                    room -= 1;
                }
            }
            forgive(endpoints);
            self.compare_at = self.next_comparison(now);
        }
        let (probe, earliest) = over(now, endpoints);
        Sweep {
            ejected,
            probe,
            next: earliest.map_or(self.compare_at, |earliest| earliest.min(self.compare_at)),
        }
    }

    /// A probe went well: the endpoint is back in rotation, with a clean record. Only time makes its next ejection
    /// short again. False when it was in rotation all the time.
    pub(crate) fn restored(&self, endpoint: &Health) -> bool {
        let mut ejection = endpoint.ejection.lock();
        let was_out = !matches!(ejection.stage, Stage::In);
        if was_out {
            ejection.stage = Stage::In;
            endpoint.come_back();
        }
        was_out
    }

    /// A probe failed: the endpoint stays out, for longer than before. [`Self::sweep`] tells when that is over.
    pub(crate) fn still_bad(&self, now: Instant, endpoint: &Health) {
        let mut ejection = endpoint.ejection.lock();
        match ejection.stage {
            Stage::In => {}
            Stage::Out { base, .. } | Stage::Probing { base } => {
                self.prolong(now, &mut ejection, base);
            }
        }
    }

    /// How many more may be ejected. A50 ejects until the percentage is reached and so may end above it; here it is
    /// never exceeded, but by the one that may always go.
    fn room(&self, endpoints: &[Arc<Health>]) -> usize {
        let all = endpoints.len();
        let percent = usize::from(self.config.max_ejected_percent.min(100));
        let most = match percent {
            0 => 0,
            // The last one is never ejected.
            _ => (all * percent / 100).max(1).min(all.saturating_sub(1)),
        };
        let out = endpoints.iter().filter(|endpoint| endpoint.is_ejected());
        most.saturating_sub(out.count())
    }

    fn eject(&self, now: Instant, endpoint: &Health, base: Duration) {
        self.prolong(now, &mut endpoint.ejection.lock(), base);
        endpoint.leave();
    }

    /// The next ejection in a series: longer by the time of the first, up to the longest, and shortened at random.
    fn prolong(&self, now: Instant, ejection: &mut Ejection, base: Duration) {
        let longest = self.config.max_ejection.max(base);
        // Counting on past the longest would only put off that an endpoint is forgiven.
        if base.saturating_mul(ejection.multiplier) < longest {
            ejection.multiplier = ejection.multiplier.saturating_add(1);
        }
        let time = base.saturating_mul(ejection.multiplier).min(longest);
        let part = 1.0 - self.config.jitter.clamp(0.0, 1.0) * self.env.fraction();
        let time = Duration::try_from_secs_f64(time.as_secs_f64() * part).unwrap_or(time);
        let until = Deadline::new(now, time).instant();
        ejection.stage = Stage::Out { until, base };
    }

    /// Endpoints that stand out in the interval that ends. Those that are ejected do not take part, as in Envoy.
    fn outliers(&self, endpoints: &[Arc<Health>]) -> Vec<usize> {
        let shares: Vec<_> = endpoints
            .iter()
            .enumerate()
            .map(|(endpoint, health)| (endpoint, health.is_ejected(), health.take_counts()))
            .filter(|(_, ejected, _)| !ejected)
            .map(|(endpoint, _, counts)| Share { endpoint, counts })
            .collect();
        let by_rate = self.config.success_rate.iter();
        let by_percentage = self.config.failure_percentage.iter();
        by_rate
            .flat_map(|config| config.outliers(&shares))
            .chain(by_percentage.flat_map(|config| config.outliers(&shares)))
            .collect()
    }

    fn next_comparison(&self, now: Instant) -> Instant {
        let interval = self.config.interval.max(SHORTEST_INTERVAL);
        Deadline::new(now, interval).instant()
    }
}

/// An interval without an ejection makes the next one shorter.
fn forgive(endpoints: &[Arc<Health>]) {
    for endpoint in endpoints.iter().filter(|endpoint| !endpoint.is_ejected()) {
        let mut ejection = endpoint.ejection.lock();
        ejection.multiplier = ejection.multiplier.saturating_sub(1);
    }
}

/// Ejected endpoints whose time is over, and the next moment at which that of another one is.
fn over(now: Instant, endpoints: &[Arc<Health>]) -> (Vec<usize>, Option<Instant>) {
    let mut probe = Vec::new();
    let mut earliest: Option<Instant> = None;
    let ejected = endpoints.iter().enumerate();
    for (index, endpoint) in ejected.filter(|(_, endpoint)| endpoint.is_ejected()) {
        let mut ejection = endpoint.ejection.lock();
        match ejection.stage {
            Stage::Out { until, base } if until <= now => {
                ejection.stage = Stage::Probing { base };
                probe.push(index);
            }
            Stage::Out { until, .. } => {
                earliest = Some(earliest.map_or(until, |earliest| earliest.min(until)));
            }
            Stage::In | Stage::Probing { .. } => {}
        }
    }
    (probe, earliest)
}
