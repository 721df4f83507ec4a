use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use bytes::Bytes;
use doge_rpc_core::{
    Context, Deadline, Status,
    call::{Names, Peer, Request, Route, guard},
    connection::Incoming,
    observe::RefusalReason,
};
use tokio::time::Instant;

use super::{
    Machine, Shared,
    done::Done,
    running_call::{RunningCall, Seen, Work, idle},
};
use crate::{
    router::{Resolved, Slot, Target, Usage, is_long},
    watch::{Watch, Watched},
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

    /// Calls are about to run; where times are taken, the first one begins now.
    pub(super) fn begin_batch(&mut self, watch: &Watch) {
        if watch.is_timed {
            self.look();
        }
    }

    /// Starts a call; `alone` tells whether no other call waits on the connection. What is done at once is added to `done`;
    /// the rest answers from its own task.
    pub(super) fn call<M: Machine>(
        &mut self,
        shared: &Arc<Shared<M>>,
        incoming: Incoming<Resolved>,
        alone: impl FnOnce() -> bool,
        done: &mut Vec<Done>,
        cx: &mut TaskContext<'_>,
    ) {
        let (service, peer) = (&*shared.service, &shared.peer);
        let target = service.router.target(&incoming.route);
        let (handler, calls) = (target.handler(), &service.calls);
        let (handler, deadline) = match handler {
            Ok(handler) if incoming.deadline.instant() > self.last && !calls.is_full() => {
                (handler, incoming.deadline)
            }
            handler => {
                let (reason, status) = match handler {
                    Err(status) => (RefusalReason::UnknownMethod, status),
                    // The client took no answers for so long that the call waited here.
                    Ok(_) if incoming.deadline.instant() <= self.last => {
                        (RefusalReason::Late, late(target.route()))
                    }
                    Ok(_) => (RefusalReason::ServerFull, overloaded(calls.most())),
                };
                return done.push(Done::refused(incoming, reason, status));
            }
        };
        let (id, place) = (incoming.id, incoming.route.place());
        let noted = target.is_suspect().then(|| incoming.route.clone());
        if noted.is_some() {
            // No other poll is timed along with this one.
            self.time_the_rest();
        }
        let route = target.route().clone();
        let mut request = Request::arrived(route, incoming.body, deadline, peer.clone());
        *request.metadata_mut() = incoming.metadata;
        *request.attempt_mut() = incoming.attempt;
        request.set_errors_as_text(incoming.wants_text);
        self.context.renew(&request);
        let watched = service.watch.start(&request, peer);
        let (is_timed, began) = (service.watch.is_timed, self.last);
        handler.call(request, &self.context, &mut self.slot);
        let in_place = self.last - self.began < BUDGET && target.admits_in_place(alone, self.last);
        if in_place {
            let (context, handler) = (&self.context, self.slot.get_pin());
            let entered = Watched::enter(watched.as_ref());
            let before = noted.is_some().then(Usage::now);
            let polled = context
                .clone()
                .sync_scope(|| guard(context.route(), context.peer(), handler, cx));
            drop(entered);
            let elapsed = self.time(target, is_timed, before.as_ref());
            if let Poll::Ready(mut answer) = polled {
                self.context.complete(&mut answer);
                if !self.context.metadata().is_empty() {
                    self.leave_context(peer);
                }
                return done.push(Done::ran(id, place, answer, elapsed, watched));
            }
        }
        let noted = noted.filter(|_| !in_place);
        let slot = std::mem::replace(&mut self.slot, idle());
        let context = self.context.clone();
        let work = Work::new(slot, context, handler.is_layered(), watched.clone());
        let Some(pass) = calls.enter() else {
            drop(work);
            let answer = Err(overloaded(calls.most()).rejected().may_have_run());
            let elapsed = is_timed.then(|| Instant::now() - began);
            return done.push(Done::ran(id, place, answer, elapsed, watched).by_framework());
        };
        let seen = Seen {
            place,
            began: is_timed.then_some(began),
            watched,
        };
        // Entered under the lock that its end takes as well, so that the end cannot come first.
        let mut state = shared.link.lock();
        let call = RunningCall::spawn(Arc::clone(shared), id, work, pass, seen, noted);
        state.run(id, deadline, call);
    }

    /// An idle connection does not hold on to what came with its last call.
    #[cold]
    fn leave_context(&mut self, peer: &Peer) {
        self.context.renew(&nothing(peer));
    }

    /// Notes that a call of this method was polled in place, and how long it took if that is `wanted`.
    fn time(&mut self, target: &Target, wanted: bool, usage: Option<&Usage>) -> Option<Duration> {
        if wanted {
            let took = self.look();
            target.polled(took, self.last, usage);
            return Some(took);
        }
        let before = self.untimed;
        self.untimed = Some(before.unwrap_or(0) + 1);
        let alone = before.is_none() || self.watchful > 0 || target.is_suspect();
        if alone && before.unwrap_or(0) == 0 {
            target.polled(self.look(), self.last, usage);
            self.watchful = self.watchful.saturating_sub(1);
        } else if alone || self.untimed >= Some(TIMED_AS_ONE) {
            self.time_the_rest();
        }
        None
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

fn late(route: &Route) -> Status {
    let why = format!("{route}: the deadline passed while the call waited on its connection");
    Status::deadline_exceeded(why)
}

fn overloaded(most: usize) -> Status {
    Status::resource_exhausted(format!("{most} calls run on this server already"))
        .with_pushback(PUSHBACK)
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
