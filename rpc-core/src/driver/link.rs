use std::{
    future::Future as _,
    io,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};
use tokio::{io::AsyncWrite as _, time::Instant};

use crate::{
    connection::{Batch, HasOutbox},
    transport::WriteHalf,
};

/// A connection's state, shared by all who use it, and the way its bytes leave.
///
/// Exactly one party writes at a time: whoever claims the outbox. A task that is alone on the connection claims it
/// and writes from where it is, so that nothing waits for company. Otherwise the connection's own task is woken: it
/// yields before each write, so that all who are ready add their frames, and writes them with one syscall.
#[derive(Debug)]
pub struct Link<M> {
    machine: Mutex<M>,
    pen: Mutex<Pen>,
    task: AtomicWaker,
}

#[derive(Debug)]
struct Pen {
    /// `None` once the connection has ended: the socket closes with it, whoever still holds the link.
    half: Option<WriteHalf>,
    batch: Batch,
    /// The stream may hold some of what it takes in a buffer of its own.
    buffers: bool,
    /// There may be something in that buffer.
    unflushed: bool,
    /// Since when the stream takes nothing.
    stalled: Option<Instant>,
    /// The connection's task has let the others add their frames.
    yielded: bool,
}

/// Bytes that make a write worth it, whoever may still come. Above all, under more calls than it can carry a connection
/// must not stand back behind those who make them.
const ENOUGH: usize = 64 * 1024;

impl<M: HasOutbox> Link<M> {
    /// A connection that writes to `half`.
    pub fn new(machine: M, half: WriteHalf) -> Self {
        let pen = Pen {
            buffers: half.buffers(),
            half: Some(half),
            batch: Batch::default(),
            unflushed: false,
            stalled: None,
            yielded: false,
        };
        Self {
            machine: Mutex::new(machine),
            pen: Mutex::new(pen),
            task: AtomicWaker::new(),
        }
    }

    /// The state. Held for as long as it takes to move a frame, never across user code or a syscall.
    pub fn lock(&self) -> MutexGuard<'_, M> {
        self.machine.lock()
    }

    /// Makes the connection's task look: a timer was set earlier, frames wait, or an end was asked for.
    pub fn wake(&self) {
        self.task.wake();
    }

    /// Registers the connection's task; to be called in each of its polls, before it looks.
    pub fn register(&self, cx: &Context<'_>) {
        self.task.register(cx.waker());
    }

    /// Sees to it that frames just added leave; takes the lock that was held to add them.
    pub fn send(&self, mut machine: MutexGuard<'_, M>) {
        if !machine.outbox().claim() {
            return;
        }
        let busy = machine.is_busy();
        drop(machine);
        if busy {
            self.wake();
        } else {
            self.write_now();
        }
    }

    /// Writes all frames from where the caller is; what the stream does not take at once is left to the
    /// connection's task. Only for whoever holds the claim.
    pub fn write_now(&self) {
        let mut pen = self.pen.lock();
        let mut cx = Context::from_waker(Waker::noop());
        // An error stays with the stream, so the connection's task meets it and ends the connection.
        if !matches!(self.poll_all(&mut pen, &mut cx), Poll::Ready(Ok(()))) {
            drop(pen);
            self.wake();
        }
    }

    /// Writes what others have left to the connection's task. `Ready` when nothing waits.
    ///
    /// # Errors
    ///
    /// As the stream reports it.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waits = {
            let mut machine = self.machine.lock();
            if !machine.outbox().is_claimed() {
                return Poll::Ready(Ok(()));
            }
            machine.is_busy() && machine.outbox().unwritten() < ENOUGH
        };
        // Whoever holds it writes without waiting, and may have looked for frames before the last ones were added.
        let mut pen = self.pen.lock();
        let yielded = std::mem::take(&mut pen.yielded);
        if !waits {
            return self.poll_all(&mut pen, cx);
        }
        if (yielded || !pen.is_done()) && !ready!(self.poll_batch(&mut pen, cx))? {
            return Poll::Ready(Ok(()));
        }
        // Also when more came during a write: from another thread they come one by one, and written at once would be a
        // syscall for a few each, which was 13 % of a call with 1,024 of them in flight.
        pen.yielded = true;
        // Deferred until the worker has run what is ready.
        pin!(tokio::task::yield_now()).poll(cx).map(Ok)
    }

    /// Writes what there is without waiting for company, for the task that has just added a whole read's worth.
    ///
    /// # Errors
    ///
    /// As the stream reports it.
    pub fn poll_write_now(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.machine.lock().outbox().claim();
        self.poll_all(&mut self.pen.lock(), cx)
    }

    /// Since when the stream has taken nothing of what waits for it.
    pub fn stalled_since(&self) -> Option<Instant> {
        self.pen.try_lock().and_then(|pen| pen.stalled)
    }

    /// Writes what is left and ends this direction of the stream.
    ///
    /// # Errors
    ///
    /// As the stream reports it.
    pub fn poll_shutdown(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_now(cx))?;
        match &mut self.pen.lock().half {
            Some(half) => Pin::new(half).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Closes the stream, after writing what it takes at once.
    pub fn close(&self) {
        // Whether that succeeds does not matter any more.
        let _ = self.poll_shutdown(&mut Context::from_waker(Waker::noop()));
        self.pen.lock().half = None;
    }

    /// Writes until no frame waits any more.
    fn poll_all(&self, pen: &mut Pen, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while ready!(self.poll_batch(pen, cx))? {}
        Poll::Ready(Ok(()))
    }

    /// Writes what was begun, or else all frames that wait. Whether more have come meanwhile; if not, whoever adds the
    /// next one is responsible for it.
    fn poll_batch(&self, pen: &mut Pen, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if pen.is_done() && !self.machine.lock().outbox().take(&mut pen.batch) {
            pen.stalled = None;
            return Poll::Ready(Ok(false));
        }
        let mut wrote = 0;
        let end = pen.poll_write(&mut wrote, cx);
        let mut machine = self.machine.lock();
        machine.outbox().wrote(wrote);
        ready!(end)?;
        Poll::Ready(Ok(machine.outbox().go_on()))
    }
}

impl Pen {
    /// Whether all of the batch has been handed to the system.
    fn is_done(&self) -> bool {
        self.batch.is_empty() && !self.unflushed
    }

    /// Writes all of the batch, through buffers of the stream, and counts what the stream has taken.
    fn poll_write(&mut self, wrote: &mut usize, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.batch.is_empty() {
            let Some(half) = &mut self.half else {
                return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
            };
            match self.batch.poll_write(half, cx) {
                Poll::Ready(bytes) => *wrote += bytes?,
                Poll::Pending => {
                    self.stalled.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
            self.unflushed = self.buffers;
            self.stalled = None;
        }
        if self.unflushed {
            return self.poll_flush(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Empties the buffers of the stream.
    #[cold]
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(half) = &mut self.half else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        match Pin::new(half).poll_flush(cx) {
            Poll::Ready(flushed) => {
                flushed?;
                self.unflushed = false;
                self.stalled = None;
                Poll::Ready(Ok(()))
            }
            Poll::Pending => {
                self.stalled.get_or_insert_with(Instant::now);
                Poll::Pending
            }
        }
    }
}
