use std::{
    collections::VecDeque,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
};

use doge_rpc_core::{
    Deadline,
    connection::{Incoming, TIME_TO_STOP},
    driver::{FrameReader, Read},
    protocol::Violation,
};
use tokio::{
    task::unconstrained,
    time::{Instant, Sleep},
};

use super::{
    Machine, Shared,
    dispatch::Dispatch,
    done::Done,
    end::End,
    state::Noted,
    taking::{end_late, given_up, take_calls},
};
use crate::router::Resolved;

/// The task of a connection: reads calls, answers those that are done at once, writes what the others leave to it,
/// keeps the time.
pub(super) struct Task<M: Machine> {
    shared: Arc<Shared<M>>,
    reader: FrameReader<M::Decoder>,
    dispatch: Dispatch,
    /// Calls that were taken and are next to run.
    calls: VecDeque<Incoming<Resolved>>,
    /// Calls that were done at once, whose answers are on their way to the state.
    done: Vec<Done>,
    /// Calls that are over or refused, of which those who watch are still to be told.
    noted: Vec<Noted>,
    timer: Pin<Box<Sleep>>,
    /// Until when the calls of a connection that has ended may stop by themselves.
    stopping: Option<Instant>,
    /// Why the connection ended.
    why: String,
    /// All calls are answered and this direction is ended; what is left is to wait for the client to hang up, until then.
    hang_up_by: Option<Instant>,
}

/// What became of the calls that were there.
struct Dispatched {
    /// There may be answers that nobody is responsible for writing.
    any: bool,
    /// Some calls may be left.
    held_back: bool,
}

/// Bytes of answers that are gathered before it is looked whether the client takes them.
const GATHERED: usize = 64 * 1024;

impl<M: Machine> Task<M> {
    pub(super) fn new(shared: Arc<Shared<M>>, reader: FrameReader<M::Decoder>) -> Self {
        Self {
            dispatch: Dispatch::new(&shared.peer),
            shared,
            reader,
            calls: VecDeque::new(),
            done: Vec::new(),
            noted: Vec::new(),
            timer: Box::pin(tokio::time::sleep_until(Instant::now())),
            stopping: None,
            why: String::new(),
            hang_up_by: None,
        }
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.run(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn run(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        self.shared.link.register(cx);
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(End::Closed);
        }
        if let Some(by) = self.hang_up_by {
            return self.wait_for_hang_up(by, cx);
        }
        let mut now = self.dispatch.begin();
        loop {
            let Dispatched { any, held_back } = self.dispatch_frames(cx, now)?;
            let link = &self.shared.link;
            let flushed = if any {
                link.poll_write_now(cx)
            } else {
                link.poll_flush(cx)
            };
            if let Poll::Ready(Err(error)) = flushed {
                return Err(error.into());
            }
            // Until the client has taken some of what waits for it, nothing more is read; then come the frames that
            // were held back, which no read would announce.
            let machine = link.lock();
            if machine.is_choked() {
                self.shared.choked.store(true, Ordering::Relaxed);
                break;
            }
            drop(machine);
            if held_back {
                now = Instant::now();
                continue;
            }
            match self.reader.poll_read(cx, now) {
                Poll::Ready(Ok(Read::Bytes(_))) => now = self.dispatch.begin(),
                Poll::Ready(Ok(Read::End)) => return Err(End::HungUp),
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => break,
            }
        }
        self.keep_time(cx)?;
        match self.finish(cx)? {
            Some(by) => self.wait_for_hang_up(by, cx),
            None => Ok(()),
        }
    }

    /// Reads what the client still sends, and drops it: this direction has ended, and what was sent after the last call
    /// that was taken is known never to have run. A socket that is closed with something unread would be reset, and the
    /// answers that are on their way with it.
    fn wait_for_hang_up(&mut self, by: Instant, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            match self.reader.poll_read(cx, Instant::now()) {
                Poll::Ready(Ok(Read::Bytes(_))) => self.reader.discard(),
                Poll::Ready(Ok(Read::End)) => return Err(End::HungUp),
                Poll::Ready(Err(error)) => return Err(error.into()),
                Poll::Pending => break,
            }
        }
        self.timer.as_mut().reset(by);
        match pin!(unconstrained(self.timer.as_mut())).poll(cx) {
            Poll::Ready(()) => Err(End::Closed),
            Poll::Pending => Ok(()),
        }
    }

    /// Runs some of the calls that are there; none while too much waits to be written.
    fn dispatch_frames(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<Dispatched, End> {
        let mut machine = self.shared.link.lock();
        let choked = machine.is_choked();
        let (mut any, mut taken) = (false, Ok(choked));
        if !choked {
            let Self { reader, calls, .. } = self;
            let (shared, noted) = (&self.shared, &mut self.noted);
            taken = take_calls(&mut machine, shared, reader, calls, now, &mut any, noted);
        }
        let run = !choked && !self.calls.is_empty();
        let mut tells = !self.noted.is_empty();
        if run {
            drop(machine);
            self.run_calls(cx, !matches!(taken, Ok(false)));
            machine = self.shared.link.lock();
            for done in &mut self.done {
                tells |= machine.answer(done);
            }
        }
        let held_back = taken.as_ref().is_ok_and(|more| *more) || !self.calls.is_empty();
        if taken.is_ok() {
            if any {
                machine.was_read(now);
            }
            let partial = self.reader.partial_bytes().filter(|_| !held_back);
            machine.partial(partial, any, now);
        }
        drop(machine);
        if tells {
            self.tell();
        }
        if run {
            self.done.clear();
        }
        taken?;
        Ok(Dispatched {
            any: any || run,
            held_back,
        })
    }

    /// Tells those who watch what happened under the lock.
    #[cold]
    fn tell(&mut self) {
        let (service, peer) = (&self.shared.service, &self.shared.peer);
        // An idle connection keeps no memory for it.
        for noted in std::mem::take(&mut self.noted) {
            noted.tell(&service.watch, &service.router, peer);
        }
        for done in &self.done {
            done.tell(&service.watch, &service.router, peer);
        }
    }

    /// Runs the calls that were taken, as long as their answers are small; `more` if others may wait behind them.
    fn run_calls(&mut self, cx: &mut Context<'_>, more: bool) {
        let mut gathered = 0;
        self.dispatch.begin_batch(&self.shared.service.watch);
        while gathered < GATHERED
            && let Some(incoming) = self.calls.pop_front()
        {
            let before = self.done.len();
            let alone = || !more && self.calls.is_empty() && !self.reader.is_partial();
            self.dispatch
                .call(&self.shared, incoming, alone, &mut self.done, cx);
            if let Some(Ok(answer)) = self.done.get(before).map(|done| &done.answer) {
                gathered += answer.bytes().len();
            }
        }
        self.dispatch.time_the_rest();
    }

    /// Ends our direction once a drain has nothing left to answer, and says by when the client has to hang up then.
    fn finish(&mut self, cx: &mut Context<'_>) -> Result<Option<Instant>, End> {
        let drained = self.calls.is_empty() && self.shared.link.lock().is_drained();
        if !drained {
            return Ok(None);
        }
        let Poll::Ready(ended) = self.shared.link.poll_shutdown(cx) else {
            return Ok(None);
        };
        ended?;
        let time = self.shared.link.lock().time_to_hang_up();
        self.hang_up_by = Some(Instant::now() + time);
        Ok(self.hang_up_by)
    }

    fn keep_time(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            let now = Instant::now();
            let mut machine = self.shared.link.lock();
            let overdue = machine.tick(now)?;
            let mut until = machine.next_tick();
            if !overdue.is_empty() {
                for call in &overdue {
                    self.noted
                        .extend(end_late(&mut machine, call).map(Noted::Ended));
                }
                // There may be room for calls that are there.
                cx.waker().wake_by_ref();
            }
            self.shared.link.send(machine);
            if !self.noted.is_empty() {
                self.tell();
            }
            if let Some(since) = self.shared.link.stalled_since() {
                let limit = self.shared.service.limits.write_timeout;
                let limit = Deadline::new(since, limit).instant();
                if limit <= now {
                    return Err(Violation::TooSlow("taking the answers").into());
                }
                until = until.min(limit);
            }
            if let Some(quiet) = self.reader.rest_when_quiet(now) {
                until = until.min(quiet);
            }
            // A timer that is set too early only looks too early; moving it on every read would cost more.
            if now < self.timer.deadline() && self.timer.deadline() <= until {
                return Ok(());
            }
            self.timer.as_mut().reset(until);
            // Unconstrained, since a timer that is not polled for want of budget would never wake the task.
            if pin!(unconstrained(self.timer.as_mut()))
                .poll(cx)
                .is_pending()
            {
                return Ok(());
            }
        }
    }

    /// Closes the connection and puts down why; a client that broke the protocol is told, as far as its socket takes it at
    /// once. The calls that run are told as well, and stop by themselves.
    fn end(&mut self, end: &End) {
        self.shared.ending.store(true, Ordering::Relaxed);
        let (peer, running) = (&self.shared.peer, self.shared.link.lock().tasks());
        let stopped = running.len();
        match end {
            End::HungUp => tracing::debug!(%peer, stopped, "the client hung up"),
            End::Closed => tracing::debug!(%peer, stopped, "connection closed"),
            End::Lost(error) => tracing::debug!(%peer, %error, stopped, "connection lost"),
            End::Violated(violation) => {
                tracing::warn!(%peer, %violation, stopped, "connection closed: the client broke the protocol");
                self.shared.link.lock().refuse(violation);
            }
        }
        self.shared.link.close();
        let why = end.cancellation(peer);
        running.iter().for_each(|call| _ = call.cancel(why.clone()));
        self.refuse_taken();
        self.why = end.to_string();
        self.stopping = Some(Instant::now() + TIME_TO_STOP);
    }

    /// Waits for the calls of a connection that has ended, and then aborts what is left.
    fn poll_stop(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.link.register(cx);
        if self.shared.link.lock().is_idle() {
            return Poll::Ready(());
        }
        self.timer.as_mut().reset(until);
        std::task::ready!(pin!(unconstrained(self.timer.as_mut())).poll(cx));
        self.abort();
        Poll::Ready(())
    }

    /// Aborts all calls that run.
    fn abort(&self) {
        let ended = self.shared.link.lock().finish_all();
        for call in ended {
            call.abort();
            call.tell(&self.shared.service.watch, &self.shared.peer);
        }
    }

    /// Calls that were taken and have not run do so no more.
    fn refuse_taken(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        let mut state = self.shared.link.lock();
        let calls = self.calls.drain(..);
        self.noted
            .extend(calls.map(|call| state.refuse_call(given_up(call))));
        drop(state);
        self.tell();
    }
}

/// However the task ends, its runtime going down included, nothing of the connection runs on.
impl<M: Machine> Drop for Task<M> {
    fn drop(&mut self) {
        self.refuse_taken();
        self.abort();
        self.shared.link.close();
    }
}

impl<M: Machine> Future for Task<M> {
    /// Why the connection ended.
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let until = match self.stopping {
            Some(until) => until,
            None => {
                let end = std::task::ready!(self.poll_run(cx));
                self.end(&end);
                Instant::now() + TIME_TO_STOP
            }
        };
        std::task::ready!(self.poll_stop(until, cx));
        Poll::Ready(std::mem::take(&mut self.why))
    }
}
