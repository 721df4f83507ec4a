use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll, Waker},
};

use bytes::{Buf as _, Bytes};
use parking_lot::Mutex;
use tokio::time::Instant;

/// One direction of a connection: what was written and has not been read.
#[derive(Default)]
pub(super) struct Pipe {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is on its way, with when it arrives.
    chunks: VecDeque<(Instant, Bytes)>,
    /// Bytes of it.
    bytes: usize,
    /// Bytes that were written so far.
    written: u64,
    /// When the end arrives.
    end: Option<Instant>,
    is_reset: bool,
    /// Nobody reads any more.
    is_abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// What a reader finds.
pub(super) enum Found {
    /// These bytes.
    Bytes(Bytes),
    /// Nothing before this moment; `None` if nothing is on its way.
    Nothing(Option<Instant>),
    /// The writer has ended this direction.
    End,
}

impl Pipe {
    /// Takes some of what has arrived by `now`, `taken` of the bytes that are there and may be taken; nothing arrives
    /// while the link is cut, for which `now` is `None`. Whoever finds nothing is woken when something is written.
    pub(super) fn read(
        &self,
        now: Option<Instant>,
        most: usize,
        taken: impl FnOnce(usize) -> usize,
        cx: &Context<'_>,
    ) -> io::Result<Found> {
        let mut state = self.state.lock();
        if state.is_reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        state.reader = Some(cx.waker().clone());
        let Some(now) = now else {
            return Ok(Found::Nothing(None));
        };
        let next = state.chunks.front().map(|(at, _)| *at).or(state.end);
        if next.is_none_or(|at| now < at) {
            return Ok(Found::Nothing(next));
        }
        let Some((_, chunk)) = state.chunks.front_mut() else {
            return Ok(Found::End);
        };
        let taken = chunk.split_to(taken(most.min(chunk.len())).min(chunk.len()));
        if !chunk.has_remaining() {
            state.chunks.pop_front();
        }
        state.bytes -= taken.len();
        wake(&mut state.writer);
        Ok(Found::Bytes(taken))
    }

    /// Bytes that there is room for now. Whoever finds no room is woken when there is some.
    pub(super) fn poll_room(&self, window: usize, cx: &Context<'_>) -> Poll<io::Result<usize>> {
        let mut state = self.state.lock();
        if state.is_reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.end.is_some() || state.is_abandoned {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        match window.saturating_sub(state.bytes) {
            0 => {
                state.writer = Some(cx.waker().clone());
                Poll::Pending
            }
            room => Poll::Ready(Ok(room)),
        }
    }

    /// Sends bytes that arrive then, or as soon as what was sent before. How many were sent so far.
    pub(super) fn write(&self, bytes: Bytes, arrival: Instant) -> u64 {
        let mut state = self.state.lock();
        let after = state
            .chunks
            .back()
            .map_or(arrival, |(at, _)| arrival.max(*at));
        state.bytes += bytes.len();
        state.written += bytes.len() as u64;
        state.chunks.push_back((after, bytes));
        wake(&mut state.reader);
        state.written
    }

    /// Sends the end, which arrives then.
    pub(super) fn end(&self, arrival: Instant) {
        let mut state = self.state.lock();
        let after = state
            .chunks
            .back()
            .map_or(arrival, |(at, _)| arrival.max(*at));
        state.end.get_or_insert(after);
        wake(&mut state.reader);
    }

    /// Breaks it off: what is on its way is lost.
    pub(super) fn reset(&self) {
        let mut state = self.state.lock();
        state.is_reset = true;
        state.chunks.clear();
        state.bytes = 0;
        wake(&mut state.reader);
        wake(&mut state.writer);
    }

    /// Nobody will read it: what is on its way is lost. Writers meet an error, or, where they are cut off and do not learn
    /// of it, fill the window and wait.
    pub(super) fn abandon(&self, is_cut: bool) {
        let mut state = self.state.lock();
        if is_cut {
            return;
        }
        state.is_abandoned = true;
        state.chunks.clear();
        state.bytes = 0;
        wake(&mut state.writer);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.state.lock().is_reset
    }

    /// Lets both ends look again.
    pub(super) fn wake(&self) {
        let mut state = self.state.lock();
        wake(&mut state.reader);
        wake(&mut state.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
