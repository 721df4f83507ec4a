use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::connector::Connector;
use crate::connection::Connection;

/// The usual course of a call over a channel, in one future without others inside: there is a connection with room for
/// the call, and the answer comes over that connection. Whatever else may happen is left to a slower course, which need
/// not be in the future of every call. Dropping it gives the call up.
pub(crate) struct Exchange<'a> {
    connector: &'a Connector,
    request: &'a Request,
    began: Instant,
    stage: Stage<'a>,
}

/// What the usual course came to.
#[derive(Debug)]
pub(crate) enum Exchanged {
    /// The answer, with which the call ends.
    Answered(Result<Response, Status>),
    /// Nothing of the call has left, and the slower course goes on.
    NotSent {
        /// How many connections were lost before the call had left.
        resends: usize,
    },
}

enum Stage<'a> {
    Begin,
    Native(Arc<Connection>, u64),
    MsgpackRpc(BoxFuture<'a, Result<Response, Status>>, Arc<Connection>),
    Over,
}

impl<'a> Exchange<'a> {
    #[inline]
    pub(super) fn new(connector: &'a Connector, request: &'a Request, now: Instant) -> Self {
        Self {
            connector,
            request,
            began: now,
            stage: Stage::Begin,
        }
    }

    /// Starts the call if there is a connection with room for it; the answer wakes this task.
    fn start(&self, cx: &mut Context<'_>) -> Option<Stage<'a>> {
        let connection = self.connector.current()?;
        let call = match &*connection {
            Connection::Native(native) => native.start_now(self.request, self.began, cx.waker())?,
            Connection::MsgpackRpc(pool) => {
                let call = pool.call(self.request, self.began);
                return Some(Stage::MsgpackRpc(call, connection));
            }
        };
        Some(Stage::Native(connection, call))
    }

    #[inline(always)]
    fn end(&mut self, answer: Result<Response, Status>) -> Exchanged {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let (Stage::Native(connection, _) | Stage::MsgpackRpc(_, connection)) = stage else {
            return Exchanged::Answered(answer);
        };
        match answer {
            Err(status) if self.connector.resends(&connection, &status) => {
                Exchanged::NotSent { resends: 1 }
            }
            answer => Exchanged::Answered(answer),
        }
    }
}

impl Future for Exchange<'_> {
    type Output = Exchanged;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Exchanged> {
        let this = &mut *self;
        if matches!(this.stage, Stage::Begin) {
            let Some(started) = this.start(cx) else {
                this.stage = Stage::Over;
                return Poll::Ready(Exchanged::NotSent { resends: 0 });
            };
            this.stage = started;
            if matches!(this.stage, Stage::Native(..)) {
                // It was just started, so there is no answer yet, and whom to wake is known: no need to take the lock.
                return Poll::Pending;
            }
        }
        let answer = match &mut this.stage {
            Stage::Native(connection, call) => match &**connection {
                Connection::Native(native) => {
                    ready!(native.poll_answer(this.request, this.began, *call, cx))
                }
                Connection::MsgpackRpc(_) => return Poll::Pending,
            },
            Stage::MsgpackRpc(call, _) => ready!(call.as_mut().poll(cx)),
            Stage::Begin | Stage::Over => return Poll::Pending,
        };
        Poll::Ready(this.end(answer))
    }
}

impl Drop for Exchange<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Stage::Native(connection, call) = &self.stage
            && let Connection::Native(native) = &**connection
        {
            native.abandon(*call);
        }
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
