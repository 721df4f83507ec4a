use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use slab::Slab;

/// Callers that wait for their answer, a slot each.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    slots: Slab<Waiter>,
    closed: bool,
}

#[derive(Debug)]
enum Waiter {
    Waiting(Option<Waker>),
    Done(Bytes),
}

impl Waiters {
    pub(super) fn insert(&mut self) -> u32 {
        self.slots.insert(Waiter::Waiting(None)) as u32
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn complete(&mut self, slot: u32, answer: Bytes) -> Option<Waker> {
        match std::mem::replace(self.slots.get_mut(slot as usize)?, Waiter::Done(answer)) {
            Waiter::Waiting(waker) => waker,
            Waiter::Done(_) => None,
        }
    }

    /// The answer once it is there; `None` when the connection was lost before.
    pub(super) fn poll(&mut self, slot: u32, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.closed {
            return Poll::Ready(None);
        }
        match self.slots.get_mut(slot as usize) {
            Some(Waiter::Waiting(waker)) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(Waiter::Done(_)) => match self.slots.remove(slot as usize) {
                Waiter::Done(answer) => Poll::Ready(Some(answer)),
                Waiter::Waiting(_) => Poll::Ready(None),
            },
            None => Poll::Ready(None),
        }
    }

    /// Ends all calls, and returns who has to be told.
    pub(super) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        let wakers = self.slots.drain().filter_map(|waiter| match waiter {
            Waiter::Waiting(waker) => waker,
            Waiter::Done(_) => None,
        });
        wakers.collect()
    }
}
