//! What is shown of calls, attempts and connections: counts, observers, spans, log lines.

mod call;
mod connections;
mod latency;
mod observers;
mod sampler;
mod striped;
mod tally;
mod throttle;

use doge_rpc_core::call::Request;
use tracing::{Level, Span};

pub(crate) use self::{
    call::{Call, Progress},
    connections::{Connections, OpenConnection, Subscription},
    observers::Observers,
    tally::{Failures, Tally},
    throttle::Throttle,
};
pub use self::{latency::CallLatencies, sampler::SpanSampler, tally::EndedCalls};

/// What is shown of the calls of a client, and to whom.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) observers: Observers,
    sampler: Option<SpanSampler>,
    pub(crate) calls: Tally,
    throttle: Throttle,
}

impl Watch {
    pub(crate) fn new(observers: Observers, sampler: Option<SpanSampler>, timed: bool) -> Self {
        Self {
            observers,
            sampler,
            calls: Tally::new(timed),
            throttle: Throttle::default(),
        }
    }

    /// The span of a call. Nothing is made, and the sampler is not asked, unless somebody collects spans.
    #[inline]
    fn span(&self, request: &Request) -> Option<Box<Span>> {
        if !tracing::span_enabled!(target: "doge::call", Level::INFO, "call") {
            return None;
        }
        self.sampled_span(request)
    }

    #[cold]
    fn sampled_span(&self, request: &Request) -> Option<Box<Span>> {
        if self.sampler.as_ref().is_some_and(|it| !it.wants(request)) {
            return None;
        }
        let span = tracing::info_span!(
            target: "doge::call",
            "call",
            otel.name = %request.route(),
            otel.kind = "client",
            method = %request.route(),
            attempts = tracing::field::Empty,
            code = tracing::field::Empty,
        );
        Some(Box::new(span))
    }
}
