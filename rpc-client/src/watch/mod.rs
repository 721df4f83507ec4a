//! What is shown of calls, attempts and connections: counts, observers, spans, log lines.

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

/// What is shown of the calls of a client, and to whom.
///
/// Most calls are only [counted](Tally::begin). When the watch [is on](Watch::is_on), a [`Call`] tells the rest, on a path of
/// its own that may allocate.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) observers: Observers,
    sampler: Option<SpanSampler>,
    pub(crate) calls: Arc<Tally>,
    throttle: LogThrottle,
    /// There are observers, or times are taken.
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

    /// Whether more is to be done about calls than to count them.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_asked || (LevelFilter::current() >= LevelFilter::INFO && collects_lines())
    }

    /// Says in the log that a call failed, if the framework is to blame.
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

    /// The span of a call. Nothing is made, and the sampler is not asked, unless somebody collects spans.
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

/// Whether somebody collects what is written for each call.
#[cold]
fn collects_lines() -> bool {
    collects_spans() || tracing::event_enabled!(target: "doge::call", Level::DEBUG)
}

fn collects_spans() -> bool {
    tracing::span_enabled!(target: "doge::call", Level::INFO, "call")
}
