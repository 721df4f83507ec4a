use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use doge_rpc_core::{
    Status,
    call::{Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
    transport::Address,
};
use tokio::time::Instant;
use tracing::Span;

use super::{Counted, Watch};

/// A call in flight that is observed. Its end is reported exactly once; a dropped call counts as cancelled.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    watch: &'a Watch,
    request: &'a Request,
    address: Option<&'a Address>,
    progress: &'a Progress,
    began: Instant,
    span: Span,
    counted: Option<Counted<'a>>,
}

/// The progress of a call.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    attempts: AtomicU32,
    is_watched: AtomicBool,
    has_span: AtomicBool,
}

impl Progress {
    /// Counts an attempt, and returns the number of earlier attempts.
    #[inline]
    pub(crate) fn attempt(&self) -> u32 {
        // Attempts of a call begin one after the other, in one task.
        let before = self.attempts();
        self.attempts.store(before + 1, Relaxed);
        before
    }

    /// The number of attempts so far.
    #[inline]
    pub(crate) fn attempts(&self) -> u32 {
        self.attempts.load(Relaxed)
    }

    /// Whether the attempts of the call are observed.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        self.is_watched.load(Relaxed)
    }

    /// Whether the call has a span, so that its attempts may have spans.
    pub(crate) fn has_span(&self) -> bool {
        self.has_span.load(Relaxed)
    }
}

impl<'a> Call<'a> {
    /// Starts a call, to this address if all its attempts go there.
    pub(crate) fn begin(
        watch: &'a Watch,
        request: &'a Request,
        address: Option<&'a Address>,
        progress: &'a Progress,
        now: Instant,
    ) -> Self {
        let call = Self {
            watch,
            request,
            address,
            progress,
            began: now,
            span: watch.span(request),
            counted: Some(watch.calls.begin()),
        };
        progress.is_watched.store(watch.is_on(), Relaxed);
        progress.has_span.store(!call.span.is_none(), Relaxed);
        watch.observers.observe(&Event::CallStarted(call.info()));
        call
    }

    /// The span in which the call must run; disabled if no subscriber wants it.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Reports the end.
    pub(crate) fn end(mut self, answer: &Result<Response, Status>) {
        if let Some(counted) = self.counted.take() {
            counted.end(answer);
        }
        if let Err(status) = answer {
            self.watch.failed(self.request, status);
        }
        if self.progress.is_watched() {
            self.tell(answer);
        }
    }

    fn tell(&self, answer: &Result<Response, Status>) {
        let elapsed = Instant::now().saturating_duration_since(self.began);
        self.watch.calls.took(elapsed);
        let result = CallResult::of(answer, Some(elapsed));
        let (code, attempts) = (result.code, self.progress.attempts());
        self.span.record("attempts", attempts);
        self.span.record("code", tracing::field::display(code));
        tracing::debug!(
            target: "doge::call",
            parent: self.span.id().or_else(|| Span::current().id()),
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
        if let Some(counted) = self.counted.take() {
            drop(counted);
            if !self.progress.is_watched() {
                return;
            }
            self.tell(&Err(Cancellation::current().status(self.request.route())));
        }
    }
}
