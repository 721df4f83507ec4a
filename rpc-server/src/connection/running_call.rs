use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use doge_rpc_core::{
    Context, Status,
    call::{CancelReason, Cancellation, Response, Route, guard},
};
use tokio::{task::AbortHandle, time::Instant};
use tokio_util::sync::ReusableBoxFuture;

use super::{Machine, Shared};
use crate::{
    gate::Pass,
    router::{Resolved, Slot},
    stats::Place,
    watch::Watched,
};

/// The handle of a call that runs in a task of its own.
#[derive(Clone, Debug)]
pub(crate) struct RunningCall {
    context: Context,
    task: AbortHandle,
    seen: Seen,
}

/// What is kept of a call for its end.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) place: Place,
    /// When it was dispatched, where times are taken.
    pub(super) began: Option<Instant>,
    pub(super) watched: Option<Arc<Watched>>,
}

impl RunningCall {
    /// Starts the task of a call that was not done at once.
    pub(super) fn spawn<M: Machine>(
        shared: Arc<Shared<M>>,
        id: u64,
        work: Work,
        pass: Pass,
        seen: Seen,
        noted: Option<Resolved>,
    ) -> Self {
        let context = work.context.clone();
        let task = tokio::spawn(run_on(shared, id, work, pass, noted)).abort_handle();
        Self {
            context,
            task,
            seen,
        }
    }

    /// Ends the call before its answer: tells its handler, or aborts its task when no handler waits. True when the call
    /// will answer by itself.
    pub(super) fn cancel(&self, why: Cancellation) -> bool {
        let listens = self.context.cancel(why);
        if !listens {
            self.task.abort();
        }
        listens
    }

    /// Ends the task from outside.
    pub(super) fn abort(&self) {
        self.task.abort();
    }

    /// The status of the call when it is cancelled so.
    pub(super) fn status(&self, why: &Cancellation) -> Status {
        why.status(self.context.route())
    }

    /// The status of the call when it ends with its connection.
    pub(super) fn status_of_end(&self) -> Status {
        let why = self.context.cancellation();
        let shutdown = Cancellation::bare(CancelReason::Shutdown);
        self.status(why.unwrap_or(&shutdown))
    }

    /// Whether the call was told to end for this reason.
    pub(super) fn was_ended_for(&self, reason: CancelReason) -> bool {
        let why = self.context.cancellation();
        why.is_some_and(|why| why.reason() == reason)
    }

    pub(super) fn route(&self) -> &Route {
        self.context.route()
    }

    pub(super) fn place(&self) -> Place {
        self.seen.place
    }

    /// When it was dispatched, where times are taken.
    pub(super) fn began(&self) -> Option<Instant> {
        self.seen.began
    }

    pub(super) fn watched(&self) -> Option<&Watched> {
        self.seen.watched.as_deref()
    }
}

/// A handler that runs on, within its context.
pub(super) struct Work {
    handler: Slot,
    context: Context,
    /// The handler is this future itself, and not somewhere inside of layers.
    listens: bool,
    watched: Option<Arc<Watched>>,
}

impl Work {
    /// The handler of a call; `is_layered` says whether the handler inside of its layers listens for the cancellation itself.
    pub(super) fn new(
        handler: Slot,
        context: Context,
        is_layered: bool,
        watched: Option<Arc<Watched>>,
    ) -> Self {
        Self {
            handler,
            context,
            listens: !is_layered,
            watched,
        }
    }

    /// Runs to the end. `note` is told how long the first poll took, if that is to be noted.
    async fn run(
        &mut self,
        mut note: Option<impl FnOnce(Duration, Instant)>,
    ) -> Result<Response, Status> {
        let mut answer = poll_fn(|task| {
            if self.listens
                && let Poll::Ready(cancellation) = self.context.poll_cancelled(task)
            {
                let status = cancellation.status(self.context.route());
                cancellation.scope(|| self.stop());
                return Poll::Ready(Err(status));
            }
            let handler = Pin::new(&mut self.handler);
            let context = &self.context;
            let began = note.is_some().then(Instant::now);
            let entered = Watched::enter(self.watched.as_ref());
            let polled = context
                .clone()
                .sync_scope(|| guard(context.route(), context.peer(), handler, task));
            drop(entered);
            if let (Some(began), Some(note)) = (began, note.take()) {
                let now = Instant::now();
                note(now - began, now);
            }
            polled
        })
        .await;
        self.context.complete(&mut answer);
        answer
    }

    /// Drops the handler within its context and its span.
    fn stop(&mut self) {
        let handler = std::mem::replace(&mut self.handler, idle());
        let _entered = Watched::enter(self.watched.as_ref());
        self.context.clone().sync_scope(|| drop(handler));
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        match self.context.cancellation().cloned() {
            Some(cancellation) => cancellation.scope(|| self.stop()),
            None => self.stop(),
        }
    }
}

/// Goes on with a call that was not done at once, or begins a call of a method of which each first poll is `noted`.
async fn run_on<M: Machine>(
    shared: Arc<Shared<M>>,
    id: u64,
    mut work: Work,
    _pass: Pass,
    noted: Option<Resolved>,
) {
    let note = noted.map(|route| {
        let router = &shared.service.router;
        move |time, now| router.target(&route).polled_apart(time, now)
    });
    let answer = work.run(note).await;
    drop(work);
    let mut state = shared.link.lock();
    let ended = state.finish(id, answer);
    let is_last = state.is_drained() || (state.is_idle() && shared.ending.load(Ordering::Relaxed));
    shared.link.send(state);
    if is_last || may_read_on(&shared) {
        shared.link.wake();
    }
    if let Some(ended) = ended {
        ended.tell(&shared.service.watch, &shared.peer);
    }
}

/// Whether the connection's task is to be told that it may read on: what kept it from that has ended, or was written just
/// now, and not by the task itself.
fn may_read_on<M: Machine>(shared: &Shared<M>) -> bool {
    // Set under a lock that was taken since, or else the task has seen what was done here.
    shared.choked.load(Ordering::Relaxed)
        && !shared.link.lock().is_choked()
        && shared.choked.swap(false, Ordering::Relaxed)
}

/// A slot with nothing in it; takes no memory.
pub(super) fn idle() -> Slot {
    ReusableBoxFuture::new(std::future::pending())
}
