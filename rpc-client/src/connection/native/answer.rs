use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use doge_rpc_core::{
    Status,
    call::{Cancellation, Response},
};

use super::Shared;

/// The answer of a started call, which wakes the task that started it. Dropping it before it is there gives the call up.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    shared: &'a Shared,
    call: Option<u64>,
    /// It was just started, so there is nothing yet, and whom to wake is known: no need to take the lock.
    fresh: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(shared: &'a Shared, call: u64) -> Self {
        Self {
            shared,
            call: Some(call),
            fresh: true,
        }
    }
}

impl Future for Answer<'_> {
    /// `None` when the deadline passed before there was an answer.
    type Output = Option<Result<Response, Status>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = self.call else {
            return Poll::Pending;
        };
        if std::mem::take(&mut self.fresh) {
            return Poll::Pending;
        }
        let answer = ready!(self.shared.link.lock().poll_answer(call, cx));
        self.call = None;
        self.shared.pass_room_on();
        Poll::Ready(answer)
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let Some(call) = self.call else { return };
        let mut machine = self.shared.link.lock();
        machine.abandon(call, Cancellation::of_dropped_call);
        let done = machine.is_closing() && machine.in_flight() == 0;
        self.shared.link.send(machine);
        if done {
            self.shared.link.wake();
        }
        self.shared.pass_room_on();
    }
}
