use doge_rpc_core::{
    Code, Status,
    call::{Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
};
use tokio::time::Instant;

use super::{Core, Endpoint};

/// An attempt under way. However it ends, its end is told once: dropped, it was given up.
pub(super) struct Attempt<'a> {
    core: &'a Core,
    endpoint: &'a Endpoint,
    request: &'a Request,
    began: Instant,
    ended: bool,
}

impl<'a> Attempt<'a> {
    #[inline]
    pub(super) fn begin(
        core: &'a Core,
        endpoint: &'a Endpoint,
        request: &'a Request,
        now: Instant,
    ) -> Self {
        core.attempts.start();
        let attempt = Self {
            core,
            endpoint,
            request,
            began: now,
            ended: false,
        };
        let observers = &core.watch.observers;
        if !observers.is_empty() {
            observers.observe(&Event::AttemptStarted(attempt.info()));
        }
        attempt
    }

    #[inline]
    pub(super) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        self.note(answer);
    }

    #[inline]
    fn note(&self, answer: &Result<Response, Status>) {
        match answer {
            Ok(response) => {
                let application_error = response.is_application_error();
                self.core.attempts.end(Code::Ok, application_error);
            }
            Err(status) => {
                self.core.attempts.end(status.code(), false);
                self.endpoint.failures().add(status.code());
            }
        }
        if !self.core.watch.observers.is_empty() || self.core.attempts.is_timed() {
            self.tell(answer);
        }
    }

    #[cold]
    fn tell(&self, answer: &Result<Response, Status>) {
        let elapsed = Instant::now().saturating_duration_since(self.began);
        self.core.attempts.took(elapsed);
        let (observers, info) = (&self.core.watch.observers, self.info());
        let result = CallResult::of(answer, Some(elapsed));
        observers.observe(&Event::AttemptEnded(info, result));
        if let Err(status) = answer
            && let Some(pushback) = status.pushback()
            && !status.is_passed_on()
        {
            let address = self.endpoint.channel().address();
            observers.observe(&Event::Pushback(address, pushback));
        }
    }

    fn info(&self) -> CallInfo<'a> {
        let request = self.request;
        let bytes = request.bytes().len();
        CallInfo::new(Side::Client, request.route(), request.attempt(), bytes)
            .with_address(self.endpoint.channel().address())
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.note(&Err(Cancellation::current().status(self.request.route())));
        }
    }
}
