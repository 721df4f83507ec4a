use std::task::{Context, Poll, Waker};

use slab::Slab;
use tokio::time::Instant;

use crate::{Status, call::Response};

/// Bits of a call id that say where its slot is; above them comes a number that only grows, so that an id is used
/// once and ids strictly increase.
const SLOT_BITS: u32 = 16;

/// Bits of the growing number: what the lane and the slot leave.
const SEQUENCE_BITS: u32 = 60 - SLOT_BITS;

/// The most calls that can be in flight.
pub(super) const MAX_SLOTS: usize = 1 << SLOT_BITS;

/// What a call ended with.
pub(super) type Answer = Result<Response, Status>;

/// Calls that wait for their answer: a slot each, found by the id itself.
#[derive(Debug, Default)]
pub(super) struct Calls {
    slots: Slab<Call>,
    sequence: u64,
    sweep: Option<Instant>,
    waiting: usize,
}

#[derive(Debug)]
struct Call {
    id: u64,
    deadline: Instant,
    /// Position of the outgoing stream right after the request.
    end: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting(Option<Waker>),
    Done(Answer),
    /// The deadline passed before an answer came.
    Late,
}

impl Calls {
    /// The id that the next call will have; `None` once all are used up.
    pub(super) fn next_id(&self) -> Option<u64> {
        let sequence = self.sequence + 1;
        (sequence >> SEQUENCE_BITS == 0)
            .then(|| sequence << SLOT_BITS | self.slots.vacant_key() as u64)
    }

    /// Enters the call that [`next_id`](Self::next_id) was asked for.
    pub(super) fn insert(&mut self, id: u64, deadline: Instant, end: u64, waker: Waker) {
        self.sequence += 1;
        self.waiting += 1;
        let slot = self.slots.insert(Call {
            id,
            deadline,
            end,
            state: State::Waiting(Some(waker)),
        });
        debug_assert_eq!(slot, slot_of(id));
        if self.sweep.is_none_or(|sweep| deadline < sweep) {
            self.sweep = Some(deadline);
        }
    }

    /// How many wait for their answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// How many slots are in use: calls that wait, and answers that nobody has fetched yet.
    pub(super) fn held(&self) -> usize {
        self.slots.len()
    }

    /// Hands an answer to its call. `false` when nobody waits for it.
    pub(super) fn complete(&mut self, id: u64, answer: Answer, wakers: &mut Vec<Waker>) -> bool {
        match self.get_mut(id) {
            Some(call) => {
                let State::Waiting(waker) = &mut call.state else {
                    return false;
                };
                wakers.extend(waker.take());
                call.state = State::Done(answer);
                self.waiting -= 1;
                true
            }
            None => false,
        }
    }

    /// Fetches an answer once it is there; `None` when the deadline passed before.
    pub(super) fn poll(&mut self, id: u64, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        let Some(call) = self.get_mut(id) else {
            return Poll::Ready(Some(Err(Status::internal(
                "the answer of this call was fetched before",
            ))));
        };
        match &mut call.state {
            State::Waiting(Some(waker)) if waker.will_wake(cx.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            State::Done(_) | State::Late => match self.slots.remove(slot_of(id)).state {
                State::Done(answer) => Poll::Ready(Some(answer)),
                State::Late => Poll::Ready(None),
                State::Waiting(_) => Poll::Pending,
            },
        }
    }

    /// Forgets a call. `true` when it was still waiting.
    pub(super) fn forget(&mut self, id: u64) -> bool {
        if self.get_mut(id).is_none() {
            return false;
        }
        let waited = matches!(self.slots.remove(slot_of(id)).state, State::Waiting(_));
        self.waiting -= usize::from(waited);
        waited
    }

    /// The moment at which [`expire`](Self::expire) has something to look for; never too late.
    pub(super) fn next_sweep(&self) -> Option<Instant> {
        self.sweep
    }

    /// Ends the calls whose deadline has passed, and returns their ids. A request that waits to be written still goes
    /// out, with the cancel behind it, so none of them is said never to have run.
    ///
    /// One sweep over all slots, at the nearest deadline known: with timeouts that are alike, as they are, that is
    /// one sweep per timeout and not one timer per call.
    pub(super) fn expire(&mut self, now: Instant, wakers: &mut Vec<Waker>) -> Vec<u64> {
        let mut expired = Vec::new();
        if self.sweep.is_none_or(|sweep| now < sweep) {
            return expired;
        }
        self.sweep = None;
        for (_, call) in &mut self.slots {
            let State::Waiting(waker) = &mut call.state else {
                continue;
            };
            if call.deadline > now {
                self.sweep = Some(
                    self.sweep
                        .map_or(call.deadline, |sweep| sweep.min(call.deadline)),
                );
                continue;
            }
            wakers.extend(waker.take());
            call.state = State::Late;
            expired.push(call.id);
        }
        self.waiting -= expired.len();
        expired
    }

    /// Ends all calls that `which` picks by id and by the position after their request.
    pub(super) fn fail(
        &mut self,
        which: impl Fn(u64) -> bool,
        status: impl Fn(u64) -> Status,
        wakers: &mut Vec<Waker>,
    ) {
        for (_, call) in &mut self.slots {
            let State::Waiting(waker) = &mut call.state else {
                continue;
            };
            if which(call.id) {
                wakers.extend(waker.take());
                call.state = State::Done(Err(status(call.end)));
                self.waiting -= 1;
            }
        }
    }

    fn get_mut(&mut self, id: u64) -> Option<&mut Call> {
        self.slots.get_mut(slot_of(id)).filter(|call| call.id == id)
    }
}

fn slot_of(id: u64) -> usize {
    (id & (MAX_SLOTS as u64 - 1)) as usize
}
