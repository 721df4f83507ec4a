//! Counters, observers, spans and log lines of calls, attempts and connections.

mod call;
mod connections;
mod latency;
mod observers;
mod sampler;
mod striped;
mod tally;

use std::sync::Arc;

use doge_rpc_core::{Status, call::Request, observe::LogThrottle};
use tokio::time::Instant;
use tracing::{Level, Span, level_filters::LevelFilter};

pub(crate) use self::{
    call::{Call, Progress, follow},
    connections::{Connections, OpenConnection, Subscription},
    observers::Observers,
    tally::{Counted, Failures, Tally},
};
use crate::status_tables::is_failure_of_framework;

pub use self::{sampler::SpanSampler, tally::EndedCalls};

/// The counters, observers, sampler and log throttle of a cluster, a channel or an in-process client.
///
/// Most calls are only [counted](Tally::begin). If the watch [is on](Watch::is_on), a [`Call`] reports the rest, on a
/// separate path that may allocate.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) observers: Observers,
    sampler: Option<SpanSampler>,
    pub(crate) calls: Arc<Tally>,
    throttle: LogThrottle,
    /// There are observers, or durations are measured.
    is_asked: bool,
}

impl Watch {
    pub(crate) fn new(observers: Observers, sampler: Option<SpanSampler>, timed: bool) -> Self {
        Self {
            is_asked: timed || !observers.is_empty(),
            observers,
            sampler,
            calls: Arc::new(Tally::new(timed)),
            throttle: LogThrottle::default(),
        }
    }

    /// Whether calls need more than counting.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_asked || (LevelFilter::current() >= LevelFilter::INFO && collects_lines())
    }

    /// Logs a failed call if the framework caused the failure.
    #[cold]
    pub(crate) fn failed(&self, request: &Request, status: &Status) {
        if is_failure_of_framework(status)
            && tracing::event_enabled!(target: "doge::call", Level::WARN)
            && let Some(suppressed) = self.throttle.admit(Instant::now())
        {
            let (method, code, error) = (request.route(), status.code(), status.message());
            tracing::warn!(target: "doge::call", %method, %code, error, suppressed, "call failed");
        }
    }

    /// The span of a call. Unless spans are collected, none is created and the sampler is not called.
    fn span(&self, request: &Request) -> Span {
        if !collects_spans() || self.sampler.as_ref().is_some_and(|it| !it.wants(request)) {
            return Span::none();
        }
        tracing::info_span!(
            target: "doge::call",
            "call",
            otel.name = %request.route(),
            otel.kind = "client",
            method = %request.route(),
            attempts = tracing::field::Empty,
            code = tracing::field::Empty,
        )
    }
}

/// Whether a subscriber collects the spans or log lines of each call.
#[cold]
fn collects_lines() -> bool {
    collects_spans() || tracing::event_enabled!(target: "doge::call", Level::DEBUG)
}

fn collects_spans() -> bool {
    tracing::span_enabled!(target: "doge::call", Level::INFO, "call")
}
