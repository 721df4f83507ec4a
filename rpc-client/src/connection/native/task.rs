use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, Waker, ready},
};

use doge_rpc_core::{
    Status,
    connection::{Chore, ClientConnection},
    driver::{FrameReader, Read, wake_all},
    protocol::{Frame, Violation},
    transport::Address,
};
use parking_lot::MutexGuard;
use tokio::{
    task::unconstrained,
    time::{Instant, Sleep},
};

use super::{super::interrupted, Shared};
use crate::watch::OpenConnection;

/// The task of a connection: reads answers, writes what callers leave to it, keeps the time.
#[derive(Debug)]
pub(super) struct Task {
    shared: Arc<Shared>,
    reader: FrameReader,
    timer: Pin<Box<Sleep>>,
    /// What was read and taken apart, on its way to the state.
    frames: Vec<Frame>,
    /// Callers whose answers a read brought, woken after all of it is parsed.
    wakers: Vec<Waker>,
    /// What calls that are still there are told in the end.
    why: Status,
    /// The connection has ended; a task that is dropped before that goes down with its runtime.
    ended: bool,
    /// The connection, once it is open.
    open: Option<OpenConnection>,
}

/// Frames that are taken apart before the state takes them in: so few that they stay in the caches, and that a
/// connection costs little memory.
const AT_ONCE: usize = 32;

/// Why a connection ended.
#[derive(Debug)]
enum End {
    /// All calls are done and no more will come.
    Done,
    Lost(Status),
}

impl Task {
    pub(super) fn new(shared: Arc<Shared>, reader: FrameReader) -> Self {
        Self {
            shared,
            reader,
            timer: Box::pin(tokio::time::sleep_until(Instant::now())),
            frames: Vec::new(),
            wakers: Vec::new(),
            why: interrupted(),
            ended: false,
            open: None,
        }
    }

    /// The connection is open, until the task ends.
    pub(super) fn opened(&mut self, open: OpenConnection) {
        self.open = Some(open);
    }

    /// Runs until the server's hello has come. Cancel safe.
    ///
    /// # Errors
    ///
    /// Why it does not come.
    pub(super) async fn until_open(&mut self) -> Result<(), Status> {
        self.shared.link.send(self.shared.link.lock());
        poll_fn(|cx| match self.poll_run(cx) {
            Poll::Ready(End::Lost(why)) => Poll::Ready(Err(why)),
            Poll::Ready(End::Done) => Poll::Ready(Err(self.shared.link.lock().why_closing())),
            Poll::Pending if self.shared.link.lock().peer().is_some() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        })
        .await?;
        // Another task runs it from here on, and the timer has to be told which: a due one is looked at anew.
        self.timer.as_mut().reset(Instant::now());
        Ok(())
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.shared.link.register(cx);
        let now = Instant::now();
        if let Err(why) = self.read(cx, now) {
            return Poll::Ready(End::Lost(why));
        }
        if let Poll::Ready(Err(error)) = self.shared.link.poll_flush(cx) {
            return Poll::Ready(End::Lost(lost(&error)));
        }
        self.shared.share_room_out();
        self.keep_time(cx)
    }

    fn read(&mut self, cx: &mut Context<'_>, now: Instant) -> Result<(), Status> {
        while let Poll::Ready(read) = self.reader.poll_read(cx, now) {
            match read.map_err(|error| lost(&error))? {
                Read::Bytes(_) => {
                    let parsed = self.receive(now);
                    wake_all(&mut self.wakers);
                    parsed.map_err(|violation| violated(&self.shared.address, &violation))?;
                }
                Read::End => return Err(self.hung_up()),
            }
        }
        Ok(())
    }

    /// The server hung up; if it said why, that counts.
    fn hung_up(&self) -> Status {
        let machine = self.shared.link.lock();
        if machine.is_closing() {
            machine.why_closing()
        } else {
            Status::unavailable("the server closed the connection")
        }
    }

    fn receive(&mut self, now: Instant) -> Result<(), Violation> {
        loop {
            // Taken apart before the lock is taken, for which callers wait.
            let parsed = self.parse();
            let mut machine = self.shared.link.lock();
            machine.was_read(now);
            for frame in self.frames.drain(..) {
                machine.receive(frame, now, &mut self.wakers)?;
            }
            self.note_closing(machine);
            if !parsed? {
                return Ok(());
            }
        }
    }

    /// Takes frames out of what was read, up to so many. Whether there may be more.
    fn parse(&mut self) -> Result<bool, Violation> {
        while self.frames.len() < AT_ONCE {
            let Some(frame) = self.reader.next_frame()? else {
                return Ok(false);
            };
            self.frames.push(frame);
        }
        Ok(true)
    }

    fn note_closing(&self, machine: MutexGuard<'_, ClientConnection>) {
        if machine.is_closing() {
            // Before the lock is given back, so that whoever is refused finds the connection closing.
            self.shared.closing.store(true, Ordering::Release);
            drop(machine);
            self.shared.room.notify_waiters();
        }
    }

    fn keep_time(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let now = Instant::now();
            let mut machine = self.shared.link.lock();
            let chore = machine.tick(now, &mut self.wakers);
            let done = machine.is_closing() && machine.in_flight() == 0;
            self.shared.link.send(machine);
            wake_all(&mut self.wakers);
            if done {
                return Poll::Ready(End::Done);
            }
            let Chore::Sleep(until) = chore else {
                return Poll::Ready(End::Lost(Status::unavailable(
                    "the server does not answer pings",
                )));
            };
            // A timer that is set too early only looks too early; moving it on every read would cost more.
            if now < self.timer.deadline() && self.timer.deadline() <= until {
                return Poll::Pending;
            }
            self.timer.as_mut().reset(until);
            // Unconstrained, since a timer that is not polled for want of budget would never wake the task.
            ready!(pin!(unconstrained(self.timer.as_mut())).poll(cx));
        }
    }
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let end = ready!(self.poll_run(cx));
        self.ended = true;
        let address = &self.shared.address;
        match end {
            End::Done => {
                tracing::debug!(%address, "connection closed");
                let why = self.shared.link.lock().why_closing();
                self.why = why;
            }
            End::Lost(why) => {
                tracing::debug!(%address, %why, "connection lost");
                self.why = why;
            }
        }
        Poll::Ready(())
    }
}

/// However the task ends, its runtime going down included, nobody waits for an answer that cannot come.
impl Drop for Task {
    fn drop(&mut self) {
        self.shared
            .interrupted
            .store(!self.ended, Ordering::Release);
        // First, so that what has left is counted before calls are told whether they can have run.
        self.shared.link.close();
        if let Some(open) = &mut self.open {
            open.closes(self.why.message().to_owned());
        }
        let why = self.why.clone();
        self.shared
            .end(&why.context(format_args!("connection to {}", self.shared.address)));
    }
}

fn lost(error: &io::Error) -> Status {
    Status::unavailable(error.to_string())
}

fn violated(address: &Address, violation: &Violation) -> Status {
    tracing::warn!(%address, %violation, "connection closed: the server broke the protocol");
    match violation {
        Violation::Foreign(foreign) => {
            Status::unavailable(format!("this is not a doge-rpc server: {foreign}"))
        }
        other => Status::unavailable(format!("the server broke the protocol: {other}")),
    }
}
