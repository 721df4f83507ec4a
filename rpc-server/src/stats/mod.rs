//! What a server counts: plain numbers per connection, added up when somebody reads them.

mod counters;

use std::collections::BTreeMap;

use doge_rpc_core::{
    Code,
    observe::{LatencyHistogram, RefusalReason},
};

pub(crate) use self::counters::{Counters, Place};

/// The figures of a server since its start, as [`Running::stats`](crate::Running::stats) reads them.
///
/// The figures of one method agree with each other only as far as no call starts or ends while they are read.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Each method of each service, called or not, in the order in which the services were added. The last entry is
    /// [`OTHER`](Self::OTHER).
    pub methods: Vec<MethodStats>,
    /// Connections that are open now.
    pub connections: usize,
    /// Connections that were accepted since the start, those that were turned away included.
    pub connections_accepted: u64,
    /// Connections that were turned away because there were too many.
    pub connections_refused: u64,
    /// Calls that run in a task of their own now, those included whose caller has given up and that have not stopped yet.
    /// This is what [`Builder::max_calls`](crate::Builder::max_calls) bounds.
    pub calls_running: usize,
}

/// The figures of a method.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct MethodStats {
    /// Name of the service; empty for [`ServerStats::OTHER`].
    pub service: &'static str,
    /// Name of the method.
    pub method: &'static str,
    /// Calls that were dispatched to the handler.
    pub started: u64,
    /// Calls that were dispatched and have not ended.
    pub in_flight: u64,
    /// Calls that ended, by code; only codes that occurred. An error of the application ends with [`Code::Ok`], as it is an
    /// answer.
    pub ended: BTreeMap<Code, u64>,
    /// Calls that ended with an error of the application; they are also in `ended`.
    pub application_errors: u64,
    /// Calls that were refused before they were dispatched, by reason; only reasons that occurred.
    pub refused: BTreeMap<RefusalReason, u64>,
    /// How long the calls took, from their dispatch to their end; only of a server that [takes times](crate::Builder::timed).
    pub latency: Option<LatencyHistogram>,
}

impl ServerStats {
    /// The name of the entry for all methods that do not exist, as in the conventions of OpenTelemetry for RPC: what a peer
    /// makes up is never the name of an entry.
    pub const OTHER: &'static str = "_OTHER";

    /// The figures of a method of this server.
    pub fn method(&self, service: &str, method: &str) -> Option<&MethodStats> {
        let mut methods = self.methods.iter();
        methods.find(|it| it.service == service && it.method == method)
    }

    /// The figures of all calls of methods that do not exist.
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
