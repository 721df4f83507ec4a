use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

use doge_rpc_core::{
    Status,
    call::{BodyEnd, Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
    transport::Address,
};
use tokio::time::Instant;
use tracing::Span;

use super::{Counted, Watch};

/// A call in flight that is observed. Its end is reported exactly once; a dropped call counts under the code of the
/// cancellation that drops it, and a call whose answer has items ends when the items do.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    watch: &'a Arc<Watch>,
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
        self.attempts.fetch_add(1, Relaxed)
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
        watch: &'a Arc<Watch>,
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
            match answer {
                Ok(head) if head.body().has_items() => self.follow(head),
                answer => self.ending().tell(answer),
            }
        }
    }

    fn follow(&self, head: &Response) {
        let (watch, request) = (Arc::clone(self.watch), self.request.clone());
        let (address, span) = (self.address.cloned(), self.span.clone());
        let (attempts, began) = (self.progress.attempts(), self.began);
        follow(head, self.request, move |answer| {
            let ending = CallEnding {
                watch: &watch,
                request: &request,
                address: address.as_ref(),
                attempts,
                began,
                span: &span,
            };
            ending.tell(answer);
        });
    }

    fn ending(&self) -> CallEnding<'_> {
        CallEnding {
            watch: self.watch,
            request: self.request,
            address: self.address,
            attempts: self.progress.attempts(),
            began: self.began,
            span: &self.span,
        }
    }

    fn info(&self) -> CallInfo<'a> {
        info(self.request, self.address)
    }
}

/// Calls `ended` with what a call comes to whose answer has items: the head of the answer, or the status that ended the
/// items.
pub(crate) fn follow(
    head: &Response,
    request: &Request,
    ended: impl FnOnce(&Result<Response, Status>) + Send + 'static,
) {
    let (body, route) = (head.body(), request.route().clone());
    // Without the items, which would keep themselves.
    let whole = match head.is_application_error() {
        true => Response::from_error(body.bytes().clone()),
        false => Response::from_result(body.bytes().clone()),
    };
    body.on_end(move |end| {
        ended(&match end {
            BodyEnd::Complete => Ok(whole),
            BodyEnd::Failed(status) => Err(status),
            _ => Err(Cancellation::current().status(&route)),
        });
    });
}

fn info<'a>(request: &'a Request, address: Option<&'a Address>) -> CallInfo<'a> {
    let bytes = request.bytes().len();
    let mut info = CallInfo::new(Side::Client, request.route(), request.attempt(), bytes);
    info.address = address;
    info
}

/// What the report of a call's end needs.
struct CallEnding<'a> {
    watch: &'a Watch,
    request: &'a Request,
    address: Option<&'a Address>,
    attempts: u32,
    began: Instant,
    span: &'a Span,
}

impl CallEnding<'_> {
    fn tell(&self, answer: &Result<Response, Status>) {
        let elapsed = Instant::now().saturating_duration_since(self.began);
        self.watch.calls.took(elapsed);
        let result = CallResult::of(answer, Some(elapsed));
        let (code, attempts) = (result.code, self.attempts);
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
        let ended = Event::CallEnded(info(self.request, self.address), result);
        self.watch.observers.observe(&ended);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(counted) = self.counted.take() {
            drop(counted);
            if !self.progress.is_watched() {
                return;
            }
            let given_up = Cancellation::current().status(self.request.route());
            self.ending().tell(&Err(given_up));
        }
    }
}
