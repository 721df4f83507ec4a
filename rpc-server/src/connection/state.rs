use std::ops::{Deref, DerefMut};

use doge_rpc_core::{
    Code, Deadline, Status,
    call::{CancelReason, Peer},
    connection::{Finished, HasOutbox, Outbox, Refused},
};
use tokio::time::Instant;

use super::{Answer, Machine, RunningCall, done::Done, tell_of_refusal};
use crate::{
    router::{Resolved, Router},
    stats::{Counters, Place},
    watch::{self, Watch},
};

/// The state of a connection, with what it counts, behind one lock that a call takes anyway.
#[derive(Debug)]
pub(super) struct State<M> {
    machine: M,
    counters: Counters,
}

/// A call that is counted, and of which those who watch are still to be told once the lock is free.
pub(super) enum Noted {
    Ended(Ended),
    Refused(Refused<Resolved>),
}

/// A call that ran on and is over.
pub(super) struct Ended {
    call: RunningCall,
    answer: Answer,
    elapsed: Option<std::time::Duration>,
    is_fault: bool,
}

impl<M: Machine> State<M> {
    pub(super) fn new(machine: M) -> Self {
        Self {
            machine,
            counters: Counters::default(),
        }
    }

    /// Answers a call that was done at once, and returns whether those who watch are to be told.
    #[inline]
    pub(super) fn answer(&mut self, done: &mut Done) -> bool {
        if let Some(status) = self.machine.answer(done.id, &done.answer) {
            done.replace(status);
        }
        done.count(&mut self.counters)
    }

    /// Enters a call that runs on.
    pub(super) fn run(&mut self, id: u64, deadline: Deadline, call: RunningCall) {
        self.counters.start(call.place());
        self.machine.run(id, deadline, call);
    }

    /// Ends a call that ran on; `None` when it was ended before.
    pub(super) fn finish(&mut self, id: u64, answer: Answer) -> Option<Ended> {
        let Finished { task, replaced } = self.machine.finish(id, &answer)?;
        Some(self.end(task, answer, replaced))
    }

    /// Ends all calls that run on, without an answer.
    pub(super) fn finish_all(&mut self) -> Vec<Ended> {
        let running = self.machine.take_tasks();
        let ended = running.into_iter().map(|call| {
            let answer = Err(call.status_of_end());
            self.end(call, answer, None)
        });
        ended.collect()
    }

    /// Counts a call that was refused before it was dispatched.
    pub(super) fn refuse_call(&mut self, refused: Refused<Resolved>) -> Noted {
        let place = refused.route.as_ref().map_or(Place::OTHER, Resolved::place);
        self.counters.refuse(place, refused.reason);
        Noted::Refused(refused)
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    fn end(&mut self, call: RunningCall, answer: Answer, replaced: Option<Status>) -> Ended {
        let was_late = |status: &Status| {
            status.code() == Code::DeadlineExceeded && call.was_ended_for(CancelReason::Deadline)
        };
        let is_fault = replaced.is_some() || answer.as_ref().is_err_and(was_late);
        let answer = replaced.map_or(answer, Err);
        let elapsed = call.began().map(|began| Instant::now() - began);
        let (code, is_application_error) = outcome(&answer);
        self.counters
            .end(call.place(), code, is_application_error, elapsed);
        Ended {
            call,
            answer,
            elapsed,
            is_fault,
        }
    }
}

/// The code of an answer, and whether it is an error of the application.
pub(super) fn outcome(answer: &Answer) -> (Code, bool) {
    match answer {
        Ok(response) => (Code::Ok, response.is_application_error()),
        Err(status) => (status.code(), false),
    }
}

impl Noted {
    /// Tells those who watch.
    pub(super) fn tell(&self, watch: &Watch, router: &Router, peer: &Peer) {
        match self {
            Self::Ended(ended) => ended.tell(watch, peer),
            Self::Refused(refused) => tell_of_refusal(refused, watch, router, peer),
        }
    }
}

impl Ended {
    /// Ends the task from outside.
    pub(super) fn abort(&self) {
        self.call.abort();
    }

    /// Tells those who watch.
    pub(super) fn tell(&self, watch: &Watch, peer: &Peer) {
        watch.end(&watch::Ended {
            route: self.call.route(),
            peer,
            watched: self.call.watched(),
            answer: &self.answer,
            elapsed: self.elapsed,
            is_fault: self.is_fault,
        });
    }
}

impl<M> Deref for State<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.machine
    }
}

impl<M> DerefMut for State<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.machine
    }
}

impl<M: HasOutbox> HasOutbox for State<M> {
    fn outbox(&mut self) -> &mut Outbox {
        self.machine.outbox()
    }

    fn is_busy(&self) -> bool {
        self.machine.is_busy()
    }
}
