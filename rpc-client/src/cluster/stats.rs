use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use doge_rpc_core::{Code, observe::LatencyHistogram};

use crate::{ha::Event, watch::EndedCalls};

/// What a cluster has done since it was made, and how its endpoints are now.
///
/// Sums are exact once nothing is under way: while calls run, one figure may be a moment older than another.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ClusterStats {
    /// Calls made, those included that a layer or a limit of this client refused. A broadcast is one call.
    pub calls: u64,
    /// Calls that are over, by the code that the caller saw. A call that the caller dropped is `Cancelled`.
    pub calls_ended: EndedCalls,
    /// How long calls took; only of a cluster that [takes times](crate::ClusterBuilder::timed).
    pub call_latencies: Option<LatencyHistogram>,
    /// Calls that a limit of this client refused.
    pub limited: u64,
    /// Attempts at an endpoint; more than one for a call that failed over or was hedged.
    pub attempts: u64,
    /// Attempts that are over, by code. An attempt that was given up is `Cancelled`, or `DeadlineExceeded` when that was at
    /// the deadline.
    pub attempts_ended: EndedCalls,
    /// How long attempts took; only of a cluster that [takes times](crate::ClusterBuilder::timed).
    pub attempt_latencies: Option<LatencyHistogram>,
    /// Attempts that were retries, and so came out of the retry budget.
    pub retries: u64,
    /// Attempts made beside one that was slow.
    pub hedges: u64,
    /// Hedges that answered before the attempt beside them.
    pub hedges_won: u64,
    /// Retries that were due and that the budget did not allow, and hedges that their ratio did not.
    pub budget_empty: u64,
    /// Retries that the budget allows at this moment.
    pub retries_left: u64,
    /// Times that an endpoint was put out of rotation for its failures.
    pub ejections: u64,
    /// So few endpoints can be used that ejections do not count now.
    pub panicking: bool,
    /// The list of instances that the endpoints are made of.
    pub list: InstanceList,
    /// The endpoints, in no particular order.
    pub endpoints: Vec<EndpointStats>,
}

/// What is known of the list of instances that a registry gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceList {
    /// How many instances there are. There are fewer endpoints where a subset is called, where two instances have one
    /// address, or where an address cannot be used.
    pub instances: usize,
    /// The list is what the registry said in an earlier life of the process: the registry has not answered yet.
    pub restored: bool,
    /// No instance that takes calls has the tags that the cluster selects by, so calls go to others.
    pub tag_fallback: bool,
    /// The registry is not followed any more: the list stays as it is.
    pub frozen: bool,
    /// How long ago the list changed, which is how old it is only where nothing says that it is still so.
    pub unchanged_for: Duration,
}

/// How one endpoint is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EndpointStats {
    /// Id of the instance.
    pub instance: String,
    /// Where its calls go.
    pub address: String,
    /// The zone that the instance says it is in.
    pub zone: Option<String>,
    /// The weight of the instance, relative to the others.
    pub weight: u32,
    /// Whether there is a connection to it.
    pub connected: bool,
    /// Why there is no connection: what the last attempt to connect failed with, or else why the last connection was closed.
    /// `None` while there is a connection, and before the first attempt.
    pub why_not_connected: Option<String>,
    /// In what time the next attempt to connect is due, where one has failed; zero when it is due now.
    pub next_connect_in: Option<Duration>,
    /// Connections that were opened so far, whoever shares them.
    pub connections: u64,
    /// Whether it is out of rotation for its failures.
    pub ejected: bool,
    /// In what time it is probed, where it is ejected; zero while a probe is under way. It comes back when a probe goes well.
    pub probe_in: Option<Duration>,
    /// Attempts on their way there, of this cluster.
    pub in_flight: usize,
    /// Attempts there that failed, by code; only codes that occurred.
    pub failures: BTreeMap<Code, u64>,
    /// What an attempt there takes, as the balancer sees it; `None` before the first.
    pub latency: Option<Duration>,
}

/// Counts what happens beside the usual course of calls.
#[derive(Debug, Default)]
pub(super) struct Counters {
    limited: AtomicU64,
    retries: AtomicU64,
    hedges: AtomicU64,
    hedges_won: AtomicU64,
    budget_empty: AtomicU64,
    ejections: AtomicU64,
}

impl Counters {
    pub(super) fn limited(&self) {
        add(&self.limited, 1);
    }

    pub(super) fn ejected(&self, endpoints: usize) {
        add(&self.ejections, endpoints as u64);
    }

    pub(super) fn event(&self, event: Event) {
        let counter = match event {
            Event::Retry => &self.retries,
            Event::Hedge => &self.hedges,
            Event::HedgeWon => &self.hedges_won,
            Event::BudgetEmpty => &self.budget_empty,
        };
        add(counter, 1);
    }

    /// These figures, and nothing in the others.
    pub(super) fn stats(&self) -> ClusterStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClusterStats {
            limited: read(&self.limited),
            retries: read(&self.retries),
            hedges: read(&self.hedges),
            hedges_won: read(&self.hedges_won),
            budget_empty: read(&self.budget_empty),
            ejections: read(&self.ejections),
            ..ClusterStats::default()
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
