use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::ha::Event;

/// What a cluster has done since it was made, and how its endpoints are now.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Calls made, those that a limit of this client refused included.
    pub calls: u64,
    /// Calls that a limit of this client refused.
    pub limited: u64,
    /// Attempts at an endpoint; more than one for a call that failed over or was hedged.
    pub attempts: u64,
    /// Attempts that were retries, and so came out of the retry budget.
    pub retries: u64,
    /// Attempts made beside one that was slow.
    pub hedges: u64,
    /// Hedges that answered before the attempt beside them.
    pub hedges_won: u64,
    /// Retries that were due and that the budget did not allow, and hedges that their ratio did not.
    pub budget_empty: u64,
    /// Times that an endpoint was put out of rotation for its failures.
    pub ejections: u64,
    /// The endpoints, in no particular order.
    pub endpoints: Vec<EndpointStats>,
}

/// How one endpoint is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EndpointStats {
    /// Id of the instance.
    pub instance: String,
    /// Where its calls go.
    pub address: String,
    /// Whether there is a connection to it.
    pub connected: bool,
    /// Whether it is out of rotation for its failures.
    pub ejected: bool,
    /// Attempts on their way there, of this cluster.
    pub in_flight: usize,
    /// What an attempt there takes, as the balancer sees it; `None` before the first.
    pub latency: Option<Duration>,
}

/// Counts what happens.
#[derive(Debug, Default)]
pub(super) struct Counters {
    calls: AtomicU64,
    limited: AtomicU64,
    attempts: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    hedges_won: AtomicU64,
    budget_empty: AtomicU64,
    ejections: AtomicU64,
}

impl Counters {
    pub(super) fn call(&self) {
        add(&self.calls, 1);
    }

    pub(super) fn limited(&self) {
        add(&self.limited, 1);
    }

    pub(super) fn ejected(&self, endpoints: usize) {
        add(&self.ejections, endpoints as u64);
    }

    pub(super) fn event(&self, event: Event) {
        let counter = match event {
            Event::Attempt => &self.attempts,
            Event::Retry => &self.retries,
            Event::Hedge => &self.hedges,
            Event::HedgeWon => &self.hedges_won,
            Event::BudgetEmpty => &self.budget_empty,
        };
        add(counter, 1);
    }

    pub(super) fn stats(&self, endpoints: Vec<EndpointStats>) -> ClusterStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClusterStats {
            calls: read(&self.calls),
            limited: read(&self.limited),
            attempts: read(&self.attempts),
            retries: read(&self.retries),
            hedges: read(&self.hedges),
            hedges_won: read(&self.hedges_won),
            budget_empty: read(&self.budget_empty),
            ejections: read(&self.ejections),
            endpoints,
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
