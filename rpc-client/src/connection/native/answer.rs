use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::Instant;

use super::Connection;

/// The answer of a started call, which wakes the task that started the call. Dropping it before the answer is there gives
/// the call up.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    connection: &'a Connection,
    request: &'a Request,
    began: Instant,
    call: Option<u64>,
    /// The call was just started, so there is no answer yet, and whom to wake is known: no need to take the lock.
    fresh: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        request: &'a Request,
        began: Instant,
        call: u64,
    ) -> Self {
        Self {
            connection,
            request,
            began,
            call: Some(call),
            fresh: true,
        }
    }
}

impl Future for Answer<'_> {
    type Output = Result<Response, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = self.call else {
            return Poll::Pending;
        };
        if std::mem::take(&mut self.fresh) {
            return Poll::Pending;
        }
        let (connection, request) = (self.connection, self.request);
        let answer = ready!(connection.poll_answer(request, self.began, call, cx));
        self.call = None;
        Poll::Ready(answer)
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            self.connection.abandon(call);
        }
    }
}
