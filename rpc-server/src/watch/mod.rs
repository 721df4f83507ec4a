//! Observers, spans and log lines of a server.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use doge_rpc_core::{
    Code, Status,
    call::{Attempt, Peer, Request, Response, Route},
    observe::{CallInfo, CallResult, Event, LogThrottle, Observer, RefusalReason, Side},
};
use tokio::time::Instant;
use tracing::{Level, Span, level_filters::LevelFilter, span::Entered};

use crate::ServerStats;

/// The observers of a server, its sampler, and its log throttle.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) sampler: Option<Box<Sampler>>,
    /// The durations of calls are measured.
    pub(crate) is_timed: bool,
    throttle: LogThrottle,
}

/// Decides whether a call gets a span.
pub(crate) type Sampler = dyn Fn(&Request) -> bool + Send + Sync;

/// The data of an observed call that its end needs.
#[derive(Debug)]
pub(crate) struct Watched {
    attempt: Attempt,
    request_bytes: usize,
    span: Span,
}

/// A call that has ended.
pub(crate) struct Ended<'a> {
    pub(crate) route: &'a Route,
    pub(crate) peer: &'a Peer,
    pub(crate) watched: Option<&'a Watched>,
    pub(crate) answer: &'a Result<Response, Status>,
    pub(crate) elapsed: Option<Duration>,
    /// The framework ended the call, and not the handler, a layer or the caller.
    pub(crate) is_fault: bool,
}

/// A call that was refused.
pub(crate) struct Refusal<'a> {
    /// `None` for a request that names no method.
    pub(crate) route: Option<&'a Route>,
    pub(crate) peer: &'a Peer,
    pub(crate) attempt: Attempt,
    pub(crate) request_bytes: usize,
    pub(crate) reason: RefusalReason,
}

impl Watch {
    /// Reports the start of a call, before its dispatch; `None` if nothing observes the call.
    #[inline]
    pub(crate) fn start(&self, request: &Request, peer: &Peer) -> Option<Arc<Watched>> {
        if self.observers.is_empty() && LevelFilter::current() < LevelFilter::INFO {
            return None;
        }
        self.start_watched(request, peer)
    }

    #[cold]
    fn start_watched(&self, request: &Request, peer: &Peer) -> Option<Arc<Watched>> {
        let span = self.span(request, peer);
        if self.observers.is_empty() && span.is_none() && !is_debug() {
            return None;
        }
        let watched = Watched {
            attempt: request.attempt(),
            request_bytes: request.bytes().len(),
            span,
        };
        let info = watched.info(request.route(), peer);
        self.observe(&Event::CallStarted(info));
        Some(Arc::new(watched))
    }

    /// The span of a call. Unless spans are collected, none is created and the sampler is not called.
    fn span(&self, request: &Request, peer: &Peer) -> Span {
        if !tracing::span_enabled!(target: "doge::call", Level::INFO, "call") {
            return Span::none();
        }
        let is_sampled = |sampler: &Sampler| self.guard("the sampler", || sampler(request));
        if self
            .sampler
            .as_deref()
            .map(is_sampled)
            .is_some_and(|it| it != Some(true))
        {
            return Span::none();
        }
        tracing::info_span!(
            target: "doge::call",
            "call",
            otel.name = %request.route(),
            otel.kind = "server",
            method = %request.route(),
            %peer,
            code = tracing::field::Empty,
        )
    }

    /// Reports the end of a call. Must not be called under the lock of a connection's state.
    pub(crate) fn end(&self, ended: &Ended<'_>) {
        if ended.is_fault {
            self.warn_of(ended);
        }
        let Some(watched) = ended.watched else {
            return;
        };
        let code = ended
            .answer
            .as_ref()
            .map_or_else(Status::code, |_| Code::Ok);
        let (route, peer) = (ended.route, ended.peer);
        watched.span.record("code", tracing::field::display(code));
        let result = CallResult::of(ended.answer, ended.elapsed);
        tracing::debug!(
            target: "doge::call",
            parent: &watched.span,
            method = %route,
            %peer,
            %code,
            application_error = result.application_error,
            error = (!result.message.is_empty()).then_some(result.message),
            elapsed = ended.elapsed.map(tracing::field::debug),
            "call ended",
        );
        self.observe(&Event::CallEnded(watched.info(route, peer), result));
    }

    /// Reports a refused call. Must not be called under the lock of a connection's state.
    pub(crate) fn refuse(&self, refusal: &Refusal<'_>) {
        let Refusal { peer, reason, .. } = *refusal;
        // A name that the peer made up is logged escaped, and not as the method.
        let route = refusal.route.filter(|route| route.schema().is_some());
        let method = route.map_or_else(|| ServerStats::OTHER.to_owned(), Route::to_string);
        let asked = refusal.route.filter(|_| route.is_none());
        let asked = asked.map(|asked| tracing::field::debug(asked.to_string()));
        match reason {
            RefusalReason::Cancelled | RefusalReason::Draining => {
                tracing::debug!(target: "doge::call", method, %peer, %reason, "call refused");
            }
            _ if !is_warn() => {}
            _ => {
                if let Some(suppressed) = self.throttle.admit(Instant::now()) {
                    tracing::warn!(target: "doge::call", method, asked, %peer, %reason, suppressed, "call refused");
                }
            }
        }
        if self.observers.is_empty() {
            return;
        }
        let none = Route::named("", "");
        let Some(route) = refusal.route.or(none.as_ref().ok()) else {
            return;
        };
        let info = CallInfo::new(Side::Server, route, refusal.attempt, refusal.request_bytes);
        self.observe(&Event::Refused(info.with_peer(peer), reason));
    }

    /// Reports an accepted connection.
    pub(crate) fn open(&self, peer: &Peer) {
        if let Some(address) = peer.address() {
            self.observe(&Event::ConnectionOpened(Side::Server, address));
        }
    }

    /// Reports a closed connection.
    pub(crate) fn close(&self, peer: &Peer, why: &str) {
        if let Some(address) = peer.address() {
            self.observe(&Event::ConnectionClosed(Side::Server, address, why));
        }
    }

    fn warn_of(&self, ended: &Ended<'_>) {
        let Err(status) = ended.answer else {
            return;
        };
        if !is_warn() {
            return;
        }
        if let Some(suppressed) = self.throttle.admit(Instant::now()) {
            let (method, peer) = (ended.route, ended.peer);
            let (code, error) = (status.code(), status.message());
            tracing::warn!(target: "doge::call", %method, %peer, %code, error, suppressed, "call failed");
        }
    }

    fn observe(&self, event: &Event<'_>) {
        for observer in &self.observers {
            self.guard("an observer", || observer.observe(event));
        }
    }

    /// Runs an observer or a sampler. Its panic is logged, and ends no call and no connection.
    fn guard<R>(&self, what: &str, run: impl FnOnce() -> R) -> Option<R> {
        let result = catch_unwind(AssertUnwindSafe(run));
        if result.is_err()
            && let Some(suppressed) = self.throttle.admit(Instant::now())
        {
            tracing::error!(target: "doge::call", suppressed, "{what} panicked");
        }
        result.ok()
    }
}

impl Watched {
    /// Enters the span of the call, if there is one, until the guard is dropped.
    #[inline]
    pub(crate) fn enter(watched: Option<&Arc<Self>>) -> Option<Entered<'_>> {
        watched.map(|watched| watched.span.enter())
    }

    fn info<'a>(&self, route: &'a Route, peer: &'a Peer) -> CallInfo<'a> {
        CallInfo::new(Side::Server, route, self.attempt, self.request_bytes).with_peer(peer)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("observers", &self.observers)
            .field("is_timed", &self.is_timed)
            .finish_non_exhaustive()
    }
}

fn is_debug() -> bool {
    tracing::event_enabled!(target: "doge::call", Level::DEBUG)
}

fn is_warn() -> bool {
    tracing::event_enabled!(target: "doge::call", Level::WARN)
}
