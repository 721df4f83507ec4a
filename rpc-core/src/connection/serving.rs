use std::time::Duration;

use tokio::time::Instant;

use super::{HasOutbox, Overdue, Running};
use crate::{
    Deadline, Metadata, Status,
    call::{Attempt, Cancellation, Names, Response},
    observe::RefusalReason,
    protocol::{Decode, Reason, Violation},
    schema::MethodSchema,
};

/// The serving end of a connection, in either dialect, as its driver sees it.
///
/// `R` is what a method resolves to; `T` is a handle that stops a handler which runs on.
pub trait Serving<R, T>: HasOutbox {
    /// How what the client sends is read.
    type Decoder: Decode;

    /// Takes a frame in.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that ends the connection.
    fn take(
        &mut self,
        frame: <Self::Decoder as Decode>::Frame,
        now: Instant,
        methods: &impl Methods<R>,
    ) -> Result<ServerEvent<R, T>, Violation>;

    /// Whether a call that comes next could run beside so many that were taken and are not entered yet.
    fn has_room(&self, taken: usize) -> bool;

    /// The calls that run on.
    fn running(&self) -> &Running<T>;

    /// The calls that run on, to be changed.
    fn running_mut(&mut self) -> &mut Running<T>;

    /// Enters a call that runs on, with the handle that stops it.
    fn run(&mut self, call: u64, deadline: Deadline, task: T) {
        self.running_mut().insert(call, deadline.instant(), task);
    }

    /// Ends a call that ran on, and answers it unless nobody wants its answer any more. `None` when the call was ended
    /// before: each call ends once.
    fn finish(&mut self, call: u64, answer: &Result<Response, Status>) -> Option<Finished<T>> {
        let (task, wanted) = self.running_mut().remove(call)?;
        let replaced = if wanted {
            self.answer(call, answer)
        } else {
            None
        };
        Some(Finished { task, replaced })
    }

    /// Answers a call. An answer that cannot travel, for it is too large or no value, is replaced by a status, which comes
    /// back.
    fn answer(&mut self, call: u64, answer: &Result<Response, Status>) -> Option<Status>;

    /// The calls that have to end now, because their deadline has passed or because they were told to and have not.
    ///
    /// # Errors
    ///
    /// A [`Violation`] when the peer was too slow with what has to come from it.
    fn tick(&mut self, now: Instant) -> Result<Vec<Overdue<T>>, Violation>;

    /// The moment at which [`tick`](Self::tick) has something to do, unless something is heard before.
    fn next_tick(&self) -> Instant;

    /// Notes that something came from the peer.
    fn was_read(&mut self, now: Instant);

    /// Notes of how many bytes a frame is there in part, which may not last; `fresh` when it is not the one of the last
    /// time.
    fn partial(&mut self, bytes: Option<usize>, fresh: bool, now: Instant);

    /// Begins to end the connection without losing a call.
    fn go_away(&mut self, reason: Reason, message: &str, now: Instant);

    /// Says why the connection ends now.
    fn refuse(&mut self, violation: &Violation);

    /// Whether no more calls come and all that were taken are answered.
    fn is_drained(&self) -> bool;

    /// How long the client has to hang up once the connection is drained and this direction has ended.
    fn time_to_hang_up(&self) -> Duration;

    /// Whether so much waits to be written that nothing more should be read.
    fn is_choked(&self) -> bool;

    /// The handles of all calls that run on.
    fn tasks(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.running().tasks()
    }

    /// Takes the handles of all calls that run on, which end with the connection.
    fn take_tasks(&mut self) -> Vec<T> {
        self.running_mut().take()
    }

    /// Whether no call runs on.
    fn is_idle(&self) -> bool {
        self.running().is_empty()
    }
}

/// The methods of a server.
pub trait Methods<R> {
    /// What the names of a route stand for.
    fn named(&self, names: &Names) -> R;

    /// What the method of a MessagePack-RPC peer stands for, which may have its service in front, and its schema if there
    /// is such a method. With `service`, it is a method of that service and of no other.
    fn spelt(&self, service: Option<&str>, method: &str) -> (R, Option<&'static MethodSchema>);
}

/// What a frame asks of the driver.
#[derive(Debug)]
pub enum ServerEvent<R, T> {
    /// Nothing.
    None,
    /// A call to run.
    Call(Incoming<R>),
    /// A call that was refused, and is answered already.
    Refused(Refused<R>),
    /// The caller gave this call up.
    Cancelled {
        /// The call.
        call: u64,
        /// Why, if the caller says so.
        why: Option<Cancellation>,
        /// The handle that stops the call, if it [runs on](Serving::run); a call that does not run yet must not run any
        /// more.
        task: Option<T>,
    },
}

/// A call that the state of a connection refused.
#[derive(Debug)]
pub struct Refused<R> {
    /// Its method; `None` when the request names no method.
    pub route: Option<R>,
    /// Which attempt it is.
    pub attempt: Attempt,
    /// Bytes of its arguments.
    pub request_bytes: usize,
    /// Why it was refused.
    pub reason: RefusalReason,
}

impl<R> Refused<R> {
    /// A call that was taken and does not run.
    pub fn of(call: Incoming<R>, reason: RefusalReason) -> Self {
        Self {
            route: Some(call.route),
            attempt: call.attempt,
            request_bytes: call.body.len(),
            reason,
        }
    }
}

/// A call that [ran on](Serving::run) and is over.
#[derive(Debug)]
pub struct Finished<T> {
    /// The handle that stops it.
    pub task: T,
    /// The status that the caller got instead of an answer that cannot travel.
    pub replaced: Option<Status>,
}

/// A call to run.
#[derive(Debug)]
pub struct Incoming<R> {
    /// Its id.
    pub id: u64,
    /// Its method.
    pub route: R,
    /// Its arguments.
    pub body: bytes::Bytes,
    /// The moment by which it has to end.
    pub deadline: Deadline,
    /// What came beside it.
    pub metadata: Metadata,
    /// Which attempt it is.
    pub attempt: Attempt,
    /// Whether the caller knows errors of the application as text only.
    pub wants_text: bool,
}
