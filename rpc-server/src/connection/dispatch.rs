use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use bytes::Bytes;
use doge_rpc_core::{
    Context, Deadline, Status,
    call::{Names, Peer, Request, Response, Route, guard},
    connection::Incoming,
};
use tokio::time::Instant;

use super::{
    Machine, Shared,
    running_call::{RunningCall, idle},
};
use crate::router::{Resolved, Slot, Target, is_long};

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
    pub(super) fn new(peer: &Peer) -> Self {
        let now = Instant::now();
        Self {
            slot: idle(),
            context: Context::of(&nothing(peer)),
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
    ) -> Option<Result<Response, Status>> {
        let refuse = |status: Status| Some(Err(status));
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
            return refuse(late.rejected());
        }
        let calls = &shared.service.calls;
        if calls.is_full() {
            return refuse(overloaded(calls.most()));
        }
        let request = Request::new(target.route().clone(), body, deadline)
            .with_peer(shared.peer.clone())
            .with_metadata(metadata)
            .with_attempt(attempt)
            .with_errors_as_text(wants_text);
        let is_noted = target.is_suspect();
        if is_noted {
            // No other poll is timed along with this one.
            self.time_the_rest();
        }
        self.context.renew(&request);
        handler.call(request, &self.context, &mut self.slot);
        let in_place = self.last - self.began < BUDGET && target.admits_in_place(alone, self.last);
        if in_place {
            let (context, handler) = (&self.context, self.slot.get_pin());
            let polled = context.clone().sync_scope(|| guard(context, handler, cx));
            self.time(target);
            if let Poll::Ready(mut answer) = polled {
                self.context.complete(&mut answer);
                self.leave_context(&shared.peer);
                return Some(answer);
            }
        }
        let noted = (is_noted && !in_place).then(|| route.clone());
        let context = self.context.clone();
        let work = std::mem::replace(&mut self.slot, idle());
        let Some(pass) = calls.enter() else {
            return refuse(overloaded(calls.most()).may_have_run());
        };
        // Entered under the lock that its end takes as well, so that the end cannot come first.
        let mut machine = shared.link.lock();
        let (is_layered, shared) = (handler.is_layered(), Arc::clone(shared));
        let call = RunningCall::spawn(shared, id, context, work, is_layered, pass, noted);
        machine.run(id, deadline, call);
        None
    }

    /// An idle connection does not hold on to what came with its last call.
    fn leave_context(&mut self, peer: &Peer) {
        if !self.context.metadata().is_empty() {
            self.context.renew(&nothing(peer));
        }
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

fn overloaded(most: usize) -> Status {
    Status::resource_exhausted(format!("{most} calls run on this server already"))
        .with_pushback(PUSHBACK)
        .rejected()
}

/// What the context of a connection without a call is made from.
fn nothing(peer: &Peer) -> Request {
    let names = Names {
        service: "".into(),
        method: "".into(),
    };
    let deadline = Deadline::at(Instant::now());
    Request::new(Route::from(names), Bytes::new(), deadline).with_peer(peer.clone())
}
