use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use doge_rpc_core::{
    Code, Status,
    call::{Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
    transport::Address,
};
use tokio::time::Instant;
use tracing::{Level, Span};

use super::Watch;
use crate::status_tables::is_failure_of_framework;

/// A call under way. However it ends, its end is told once: dropped, it was given up.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    watch: &'a Watch,
    request: &'a Request,
    address: Option<&'a Address>,
    progress: &'a Progress,
    began: Instant,
    span: Option<Box<Span>>,
    ended: bool,
}

/// How far a call has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    has_span: AtomicBool,
}

impl Progress {
    /// Counts an attempt. How many there were before.
    #[inline]
    pub(crate) fn attempt(&self) -> u32 {
        self.attempts.fetch_add(1, Relaxed)
    }

    /// How many attempts there were.
    #[inline]
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Relaxed)
    }

    /// Whether the call has a span, so that its attempts may have some.
    #[inline]
    pub(crate) fn has_span(&self) -> bool {
        self.has_span.load(Relaxed)
    }
}

impl<'a> Call<'a> {
    /// A call that begins now, to that address if there is one for all of its attempts.
    #[inline]
    pub(crate) fn begin(
        watch: &'a Watch,
        request: &'a Request,
        address: Option<&'a Address>,
        progress: &'a Progress,
        now: Instant,
    ) -> Self {
        watch.calls.start();
        let call = Self {
            watch,
            request,
            address,
            progress,
            began: now,
            span: watch.span(request),
            ended: false,
        };
        if call.span.is_some() {
            progress.has_span.store(true, Relaxed);
        }
        if !watch.observers.is_empty() {
            watch.observers.observe(&Event::CallStarted(call.info()));
        }
        call
    }

    /// The span of the call, within which it is to be made.
    #[inline]
    pub(crate) fn span(&self) -> Option<Span> {
        self.span.as_deref().cloned()
    }

    /// Tells of the end.
    #[inline]
    pub(crate) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        match answer {
            Ok(response) => {
                let application_error = response.is_application_error();
                self.watch.calls.end(Code::Ok, application_error);
            }
            Err(status) => self.failed(status),
        }
        if self.is_watched() {
            self.tell(answer);
        }
    }

    #[cold]
    fn failed(&self, status: &Status) {
        self.watch.calls.end(status.code(), false);
        if is_failure_of_framework(status)
            && tracing::event_enabled!(target: "doge::call", Level::WARN)
            && let Some(suppressed) = self.watch.throttle.admit(Instant::now())
        {
            let (method, code, error) = (self.request.route(), status.code(), status.message());
            tracing::warn!(target: "doge::call", %method, %code, error, suppressed, "call failed");
        }
    }

    #[inline]
    fn is_watched(&self) -> bool {
        !self.watch.observers.is_empty()
            || self.watch.calls.is_timed()
            || self.span.is_some()
            || tracing::event_enabled!(target: "doge::call", Level::DEBUG)
    }

    #[cold]
    fn tell(&self, answer: &Result<Response, Status>) {
        let elapsed = Instant::now().saturating_duration_since(self.began);
        self.watch.calls.took(elapsed);
        let result = CallResult::of(answer, Some(elapsed));
        let (code, attempts) = (result.code, self.progress.attempts());
        if let Some(span) = &self.span {
            span.record("attempts", attempts);
            span.record("code", tracing::field::display(code));
        }
        tracing::debug!(
            target: "doge::call",
            parent: self.span.as_deref().and_then(Span::id).or_else(|| Span::current().id()),
            method = %self.request.route(),
            address = self.address.map(tracing::field::display),
            %code,
            application_error = result.application_error,
            error = (!result.message.is_empty()).then_some(result.message),
            attempts,
            ?elapsed,
            "call ended",
        );
        let ended = Event::CallEnded(self.info(), result);
        self.watch.observers.observe(&ended);
    }

    fn info(&self) -> CallInfo<'a> {
        let request = self.request;
        let bytes = request.bytes().len();
        let mut info = CallInfo::new(Side::Client, request.route(), request.attempt(), bytes);
        info.address = self.address;
        info
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let given_up = Err(Cancellation::current().status(self.request.route()));
            if let Err(status) = &given_up {
                self.watch.calls.end(status.code(), false);
            }
            if self.is_watched() {
                self.tell(&given_up);
            }
        }
    }
}
