use std::sync::Arc;

use doge_rpc_core::{
    Status,
    call::{Cancellation, Request, Response},
    observe::{CallInfo, CallResult, Event, Side},
};
use tokio::time::Instant;

use super::{Core, Endpoint};
use crate::watch::{Tally, Watch, follow};

/// An attempt in flight that is observed. Its end is reported exactly once; a dropped attempt counts under the code of the
/// cancellation that drops it, and an attempt whose answer has items ends when the items do.
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
        let started = Event::AttemptStarted(info(endpoint, request));
        core.watch.observers.observe(&started);
        Self {
            core,
            endpoint,
            request,
            began: now,
            ended: false,
        }
    }

    pub(super) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        match answer {
            Ok(head) if head.body().has_items() => self.follow(head),
            answer => self.ending().tell(answer),
        }
    }

    fn follow(&self, head: &Response) {
        let (watch, attempts) = (
            Arc::clone(&self.core.watch),
            Arc::clone(&self.core.attempts),
        );
        let (endpoint, request) = (self.endpoint.clone(), self.request.clone());
        let began = self.began;
        follow(head, self.request, move |answer| {
            let ending = AttemptEnding {
                watch: &watch,
                attempts: &attempts,
                endpoint: &endpoint,
                request: &request,
                began,
            };
            ending.tell(answer);
        });
    }

    fn ending(&self) -> AttemptEnding<'_> {
        AttemptEnding {
            watch: &self.core.watch,
            attempts: &self.core.attempts,
            endpoint: self.endpoint,
            request: self.request,
            began: self.began,
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let given_up = Cancellation::current().status(self.request.route());
            self.ending().tell(&Err(given_up));
        }
    }
}

/// What the report of an attempt's end needs.
struct AttemptEnding<'a> {
    watch: &'a Watch,
    attempts: &'a Tally,
    endpoint: &'a Endpoint,
    request: &'a Request,
    began: Instant,
}

impl AttemptEnding<'_> {
    fn tell(&self, answer: &Result<Response, Status>) {
        let elapsed = Instant::now().saturating_duration_since(self.began);
        self.attempts.took(elapsed);
        let observers = &self.watch.observers;
        let result = CallResult::of(answer, Some(elapsed));
        observers.observe(&Event::AttemptEnded(
            info(self.endpoint, self.request),
            result,
        ));
        if let Err(status) = answer
            && let Some(pushback) = status.pushback()
            && !status.is_passed_on()
        {
            let address = self.endpoint.channel().address();
            observers.observe(&Event::Pushback(address, pushback));
        }
    }
}

fn info<'a>(endpoint: &'a Endpoint, request: &'a Request) -> CallInfo<'a> {
    let bytes = request.bytes().len();
    CallInfo::new(Side::Client, request.route(), request.attempt(), bytes)
        .with_address(endpoint.channel().address())
}
