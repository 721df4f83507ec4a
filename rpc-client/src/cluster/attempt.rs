use doge_rpc_core::{
    Status,
    call::{Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
};
use tokio::time::Instant;

use super::{Core, Endpoint};

/// An attempt under way that is watched. However it ends, its end is told once: dropped, it was given up.
pub(super) struct Attempt<'a> {
    core: &'a Core,
    endpoint: &'a Endpoint,
    request: &'a Request,
    began: Instant,
    ended: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn begin(
        core: &'a Core,
        endpoint: &'a Endpoint,
        request: &'a Request,
        now: Instant,
    ) -> Self {
        let attempt = Self {
            core,
            endpoint,
            request,
            began: now,
            ended: false,
        };
        let started = Event::AttemptStarted(attempt.info());
        core.watch.observers.observe(&started);
        attempt
    }

    pub(super) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        self.tell(answer);
    }

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
            self.tell(&Err(Cancellation::current().status(self.request.route())));
        }
    }
}
