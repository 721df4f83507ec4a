use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use doge_rpc_core::{
    Context, Deadline, Metadata, Status,
    call::{Attempt, Handled, Request, guard},
    connection::Incoming,
    transport::Address,
};
use tokio::time::Instant;
use tokio_util::sync::ReusableBoxFuture;

use super::{Machine, Shared};
use crate::{
    gate::Pass,
    router::{Resolved, Slot, Target, is_long},
};

/// Runs calls: each is polled once where it is read, and gets a task of its own only if that was not enough.
pub(super) struct Dispatch {
    slot: Slot,
    /// The context of the last call, which the next one takes over unless the handler has kept it.
    context: Context,
    /// When the read's worth of calls began that is being run.
    began: Instant,
    /// When the clock was last looked at, after a poll in place.
    last: Instant,
    /// Polls in place since then, or none yet in this read.
    untimed: Option<u32>,
    /// Polls that are still to be timed one by one, since among some that were not one took long.
    watchful: u32,
}

/// Polls in place that are timed as one, after the first of a read and as long as none of their methods ever took long:
/// a look at the clock costs a twentieth of a small call. So when a method takes long for the first time, it may do so
/// for so many calls in a row.
const TIMED_AS_ONE: u32 = 4;

/// So many polls are timed one by one to find out which method it was.
const WATCHFUL: u32 = 64;

/// What polls in place may take before the rest of a read gets tasks of its own, so that the connection goes on
/// reading and answering.
const BUDGET: Duration = Duration::from_micros(500);

/// How long callers of a full server are asked to stay away.
const PUSHBACK: Duration = Duration::from_millis(100);

impl Dispatch {
    pub(super) fn new(peer: Address) -> Self {
        let now = Instant::now();
        let (metadata, attempt) = (Metadata::new(), Attempt::default());
        Self {
            slot: idle(),
            context: Context::new(Some(peer), Deadline::at(now), metadata, attempt),
            began: now,
            last: now,
            untimed: None,
            watchful: 0,
        }
    }

    /// A read's worth of calls begins, now.
    pub(super) fn begin(&mut self) -> Instant {
        self.began = Instant::now();
        self.last = self.began;
        self.untimed = None;
        self.began
    }

    /// Starts a call; `alone` tells whether no other one waits on the connection. What is done at once comes back; the
    /// rest answers from its own task.
    pub(super) fn call<M: Machine>(
        &mut self,
        shared: &Arc<Shared<M>>,
        incoming: Incoming<Resolved>,
        alone: impl FnOnce() -> bool,
        cx: &mut TaskContext<'_>,
    ) -> Option<Handled> {
        let refuse = |status: Status| Some((Err(status), Metadata::new()));
        let Incoming {
            id,
            route,
            body,
            deadline,
            metadata,
            attempt,
            wants_text,
        } = incoming;
        let target = shared.service.router.target(&route);
        let handler = match target.handler() {
            Ok(handler) => handler,
            Err(status) => return refuse(status),
        };
        if deadline.instant() <= self.last {
            // The client took no answers for so long that it waited here.
            let late = Status::deadline_exceeded("the deadline passed before the call could run");
            return refuse(late.with_never_ran(true));
        }
        let calls = &shared.service.calls;
        if calls.is_full() {
            return refuse(overloaded(calls.most()));
        }
        let mut request = Request::new(target.route().clone(), body, deadline)
            .with_peer(shared.peer.clone())
            .with_errors_as_text(wants_text);
        request.metadata = metadata.clone();
        request.attempt = attempt;
        let is_noted = target.is_suspect();
        if is_noted {
            // No other poll is timed along with this one.
            self.time_the_rest();
        }
        let context = &mut self.context;
        context.renew(deadline, metadata, attempt);
        handler.call(request, &mut self.slot);
        let in_place = self.last - self.began < BUDGET && target.admits_in_place(alone, self.last);
        if in_place {
            let polled = guard(context, self.slot.get_pin(), cx);
            self.time(target);
            if let Poll::Ready(answer) = polled {
                return Some((answer, self.leave_context()));
            }
        }
        let noted = (is_noted && !in_place).then(|| route.clone());
        let context = self.context.clone();
        let handler = std::mem::replace(&mut self.slot, idle());
        let Some(pass) = calls.enter() else {
            return refuse(overloaded(calls.most()).with_never_ran(false));
        };
        // Entered under the lock that its end takes as well, so that the end cannot come first.
        let mut machine = shared.link.lock();
        let task = tokio::spawn(run_on(
            Arc::clone(shared),
            id,
            context,
            handler,
            pass,
            noted,
        ));
        machine.run(id, deadline, task.abort_handle());
        None
    }

    /// What the handler sends back beside its answer.
    fn leave_context(&mut self) -> Metadata {
        let reply = self.context.take_reply_metadata();
        if !self.context.metadata().is_empty() {
            // An idle connection does not hold on to it.
            let (deadline, attempt) = (self.context.deadline(), self.context.attempt());
            self.context.renew(deadline, Metadata::new(), attempt);
        }
        reply
    }

    /// Notes that a call of this method was polled in place.
    fn time(&mut self, target: &Target) {
        let before = self.untimed;
        self.untimed = Some(before.unwrap_or(0) + 1);
        let alone = before.is_none() || self.watchful > 0 || target.is_suspect();
        if alone && before.unwrap_or(0) == 0 {
            target.polled(self.look(), self.last);
            self.watchful = self.watchful.saturating_sub(1);
        } else if alone || self.untimed >= Some(TIMED_AS_ONE) {
            self.time_the_rest();
        }
    }

    /// Times what was polled in place and is not timed yet.
    pub(super) fn time_the_rest(&mut self) {
        if self.untimed.is_some_and(|polls| polls > 0) && is_long(self.look()) {
            self.watchful = WATCHFUL;
        }
    }

    /// Time since the last look at the clock.
    fn look(&mut self) -> Duration {
        let now = Instant::now();
        self.untimed = Some(0);
        now - std::mem::replace(&mut self.last, now)
    }
}

/// Goes on with a call that was not done at once, or begins one of a method of which each poll is noted.
async fn run_on<M: Machine>(
    shared: Arc<Shared<M>>,
    id: u64,
    context: Context,
    mut handler: Slot,
    _pass: Pass,
    mut noted: Option<Resolved>,
) {
    let answer = poll_fn(|cx| {
        let began = noted.is_some().then(Instant::now);
        let polled = guard(&context, Pin::new(&mut handler), cx);
        if let (Some(began), Some(route)) = (began, noted.take()) {
            let (now, router) = (Instant::now(), &shared.service.router);
            router.target(&route).polled_apart(now - began, now);
        }
        polled
    })
    .await;
    let metadata = context.take_reply_metadata();
    let mut machine = shared.link.lock();
    machine.finish(id, answer, metadata);
    let drained = machine.is_drained();
    shared.link.send(machine);
    if drained || may_read_on(&shared) {
        shared.link.wake();
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
fn idle() -> Slot {
    ReusableBoxFuture::new(std::future::pending())
}

fn overloaded(most: usize) -> Status {
    Status::resource_exhausted(format!("{most} calls run on this server already"))
        .with_pushback(PUSHBACK)
        .with_never_ran(true)
}
