//! The statistics of a server: plain counters per connection, added up when they are read.

mod counters;

use std::collections::BTreeMap;

use doge_rpc_core::{
    Code,
    observe::{LatencyHistogram, RefusalReason},
};

pub(crate) use self::counters::{Counters, Place};

/// The statistics of a server since its start, from [`Running::stats`](crate::Running::stats).
///
/// Figures are not read at one instant: they can disagree a little while calls start and end.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServerStats {
    /// All methods of all services, called or not, in the order in which the services were added. The last entry is
    /// [`OTHER`](Self::OTHER).
    pub methods: Vec<MethodStats>,
    /// Connections open now.
    pub connections: usize,
    /// Connections accepted since the start, refused connections included.
    pub connections_accepted: u64,
    /// Connections refused because there were too many.
    pub connections_refused: u64,
    /// Calls that run in their own task now, including cancelled calls that have not stopped yet.
    /// [`Builder::max_calls`](crate::Builder::max_calls) limits this number.
    pub calls_running: usize,
}

/// The statistics of a method.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct MethodStats {
    /// Name of the service; empty for [`ServerStats::OTHER`].
    pub service: &'static str,
    /// Name of the method.
    pub method: &'static str,
    /// Calls dispatched to the handler.
    pub started: u64,
    /// Calls dispatched and not ended yet.
    pub in_flight: u64,
    /// Ended calls by code; only codes that occurred. An error of the application counts as [`Code::Ok`].
    pub ended: BTreeMap<Code, u64>,
    /// Calls that ended with an error of the application; `ended` includes them.
    pub application_errors: u64,
    /// Calls refused before dispatch, by reason; only reasons that occurred.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// Durations of calls from dispatch to end, if the server [measures them](crate::Builder::timed).
    pub latency: Option<LatencyHistogram>,
}

impl ServerStats {
    /// The name of the entry for all unknown methods, as in OpenTelemetry's conventions for RPC. A name that a peer
    /// made up is never the name of an entry.
    pub const OTHER: &'static str = "_OTHER";

    /// The statistics of a method of this server.
    pub fn method(&self, service: &str, method: &str) -> Option<&MethodStats> {
        let mut methods = self.methods.iter();
        methods.find(|it| it.service == service && it.method == method)
    }

    /// The statistics of all unknown methods.
    pub fn other(&self) -> Option<&MethodStats> {
        self.method("", Self::OTHER)
    }
}

impl MethodStats {
    pub(crate) fn new(service: &'static str, method: &'static str) -> Self {
        Self {
            service,
            method,
            ..Self::default()
        }
    }
}
