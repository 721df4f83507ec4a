use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use doge_rpc_core::{Status, call::Response};

use super::Shared;

/// The answer of a started call. Dropping it before it is there gives the call up.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    shared: &'a Shared,
    call: Option<u64>,
}

impl<'a> Answer<'a> {
    pub(super) fn new(shared: &'a Shared, call: u64) -> Self {
        Self {
            shared,
            call: Some(call),
        }
    }
}

impl Future for Answer<'_> {
    type Output = Result<Response, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = self.call else {
            return Poll::Pending;
        };
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
        machine.abandon(call);
        let done = machine.is_closing() && machine.in_flight() == 0;
        self.shared.link.send(machine);
        if done {
            self.shared.link.wake();
        }
        self.shared.pass_room_on();
    }
}
