use std::{
    fmt,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context as Task, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::{Attempt, Cancellation, Extensions, Peer, Request, Response, Route};
use crate::{Deadline, Metadata, MetadataError, Status};

tokio::task_local! {
    static CURRENT: Context;
}

/// The call that the current task serves: at hand without a parameter, and passed on by itself to the calls made
/// inside it. Cheap to clone.
///
/// It is made from the request that reaches the handler, so it has what server layers put into that request. It does not
/// follow a `tokio::spawn`; take it along with [`scope`](Self::scope).
///
/// ```
/// use doge_rpc_core::Context;
///
/// async fn handler() -> String {
///     let context = Context::current();
///     context.and_then(|context| context.metadata().get_str("tenant").map(String::from)).unwrap_or_default()
/// }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    head: Head,
    /// Made with the first entry: most handlers set none, and so no call has to take the lock.
    reply: OnceLock<Mutex<Metadata>>,
    end: End,
}

/// What the context takes over from a request.
#[derive(Clone)]
struct Head {
    route: Route,
    peer: Option<Peer>,
    deadline: Deadline,
    metadata: Metadata,
    attempt: Attempt,
    extensions: Extensions,
}

impl Head {
    /// Becomes that of another request, mostly of the same peer and without metadata.
    fn renew(&mut self, request: &Request) {
        self.route.clone_from(request.route());
        self.deadline = request.deadline();
        self.attempt = request.attempt();
        self.metadata.clone_from(request.metadata());
        self.extensions.clone_from(request.extensions());
        let is_same = match (&self.peer, request.peer()) {
            (Some(own), Some(peer)) => own.is(peer),
            (own, peer) => own.is_none() && peer.is_none(),
        };
        if !is_same {
            self.peer = request.peer().cloned();
        }
    }
}

impl From<&Request> for Head {
    fn from(request: &Request) -> Self {
        Self {
            route: request.route().clone(),
            peer: request.peer().cloned(),
            deadline: request.deadline(),
            metadata: request.metadata().clone(),
            attempt: request.attempt(),
            extensions: request.extensions().clone(),
        }
    }
}

/// How far an arrived call is, and why it ends before its answer.
#[derive(Default)]
struct End {
    stage: AtomicU8,
    cancelled: OnceLock<Cancellation>,
    handler: AtomicWaker,
}

/// The handler was started.
const STARTED: u8 = 1;
/// The handler waits, and is woken when the call is cancelled.
const LISTENS: u8 = 2;
/// The call is over; a handler that was not started before must not start any more.
const OVER: u8 = 4;
/// Layers are around the handler; this is the call as they see it.
const LAYERED: u8 = 8;

impl Context {
    /// The context of the handler of this request.
    pub fn of(request: &Request) -> Self {
        Self(Arc::new(Inner {
            head: request.into(),
            reply: OnceLock::new(),
            end: End::default(),
        }))
    }

    /// Makes this the context of another request, in the same memory unless somebody else has kept a clone; clones stay
    /// what they are.
    pub fn renew(&mut self, request: &Request) {
        let Some(inner) = Arc::get_mut(&mut self.0) else {
            *self = Self::of(request);
            return;
        };
        inner.head.renew(request);
        inner.reply.take();
        if *inner.end.stage.get_mut() != 0 || inner.end.cancelled.get().is_some() {
            inner.end = End::default();
        }
    }

    /// The same context with another deadline, for work that outlives the call.
    #[must_use]
    pub fn with_deadline(&self, deadline: Deadline) -> Self {
        Self(Arc::new(Inner {
            head: Head {
                deadline,
                ..self.0.head.clone()
            },
            reply: OnceLock::new(),
            end: End::default(),
        }))
    }

    /// The call that this task serves; `None` outside of a handler.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Runs a function with the call that this task serves, without counting a reference.
    pub(super) fn with_current<R>(run: impl FnOnce(&Self) -> R) -> Option<R> {
        CURRENT.try_with(run).ok()
    }

    /// Runs a future as part of this call, for what is spawned inside a handler. As cancel safe as that future,
    /// which is dropped with this one.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs a function as part of this call.
    pub fn sync_scope<R>(self, run: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, run)
    }

    /// The method that is served.
    pub fn route(&self) -> &Route {
        &self.0.head.route
    }

    /// Who calls; an in-process peer has no address.
    pub fn peer(&self) -> Option<&Peer> {
        self.0.head.peer.as_ref()
    }

    /// The moment by which the call has to end; the handler is stopped then.
    pub fn deadline(&self) -> Deadline {
        self.0.head.deadline
    }

    /// Time that is left to the call.
    pub fn remaining(&self) -> Duration {
        self.deadline().remaining()
    }

    /// What came beside the call, as the layers left it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.head.metadata
    }

    /// Typed values that layers attached to the call, such as the user whom they authenticated.
    pub fn extensions(&self) -> &Extensions {
        &self.0.head.extensions
    }

    /// Which attempt this is, and how much the call matters.
    pub fn attempt(&self) -> Attempt {
        self.0.head.attempt
    }

    /// Sends a key and a value back beside the answer, be it a result or an error.
    ///
    /// # Errors
    ///
    /// As [`Metadata::insert`].
    pub fn set_reply_metadata(
        &self,
        key: impl AsRef<str>,
        value: impl Into<Bytes>,
    ) -> Result<(), MetadataError> {
        self.0
            .reply
            .get_or_init(Mutex::default)
            .lock()
            .insert(key, value)
    }

    /// Puts the [reply metadata](Self::set_reply_metadata) into an answer, where it counts before what the answer has. A
    /// status that came from another service is passed on, whoever returned it.
    #[inline]
    pub fn complete(&self, answer: &mut Result<Response, Status>) {
        if let Err(status) = answer
            && status.is_received()
        {
            pass_on(status);
        }
        if let Some(reply) = self.0.reply.get() {
            add_reply_metadata(reply, answer);
        }
    }

    /// Ends the call before its answer: wakes the handler, which stops and answers with the status of the cancellation, so
    /// that the layers around it see how the call ended. False when no handler waits, and whoever cancels has to stop the
    /// call from outside.
    pub fn cancel(&self, cancellation: Cancellation) -> bool {
        let end = &self.0.end;
        // The first reason counts.
        let _ = end.cancelled.set(cancellation);
        let listens = end.stage.load(Ordering::Acquire) & LISTENS != 0;
        end.handler.wake();
        listens
    }

    /// Why the call was ended before its answer, if it was.
    pub fn cancellation(&self) -> Option<&Cancellation> {
        self.0.end.cancelled.get()
    }

    /// Waits, as the handler, for the call to be [cancelled](Self::cancel).
    pub fn poll_cancelled(&self, task: &Task<'_>) -> Poll<Cancellation> {
        let end = &self.0.end;
        end.handler.register(task.waker());
        end.stage.fetch_or(LISTENS, Ordering::AcqRel);
        match end.cancelled.get() {
            Some(cancellation) => Poll::Ready(cancellation.clone()),
            None => Poll::Pending,
        }
    }

    /// Notes that layers are around the handler, which is [finished](Self::finish) with their answer.
    pub fn layered(&self) {
        self.0.end.stage.fetch_or(LAYERED, Ordering::AcqRel);
    }

    /// Notes that a request was served which may have been made by a layer of this call, so that nobody knows any more that
    /// nothing ran.
    pub(super) fn served_another_request(&self) {
        if self.0.end.stage.load(Ordering::Acquire) & LAYERED != 0 {
            self.0.end.stage.fetch_or(STARTED, Ordering::AcqRel);
        }
    }

    /// Notes that the handler starts.
    ///
    /// # Errors
    ///
    /// When the call is over already: a layer kept its request for too long.
    pub(super) fn start(&self) -> Result<(), Status> {
        let before = self.0.end.stage.fetch_or(STARTED, Ordering::AcqRel);
        if before & OVER != 0 {
            let why = format!("{} was over before it reached the handler", self.route());
            return Err(Status::cancelled(why).rejected());
        }
        Ok(())
    }

    /// Takes the answer of the layers around the handler, and ends the call: a status for which no handler was started
    /// is a refusal, and none will be started from now on. A status that a layer received from another service is passed
    /// on.
    pub fn finish(&self, answer: Result<Response, Status>) -> Result<Response, Status> {
        let before = self.0.end.stage.fetch_or(OVER, Ordering::AcqRel);
        answer.map_err(|mut status| {
            if status.is_received() {
                pass_on(&mut status);
            }
            match before & STARTED {
                0 => status.rejected(),
                _ => status,
            }
        })
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("route", self.route())
            .field("peer", &self.peer())
            .field("deadline", &self.deadline())
            .field("metadata", self.metadata())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}

/// What a handler or a layer received from a service that it called itself is passed on, and says nothing of how far the call
/// came that the handler or the layer serves.
#[cold]
fn pass_on(status: &mut Status) {
    let received = std::mem::replace(status, Status::unknown(""));
    *status = received.returned_by_handler();
}

/// Puts reply metadata in front of what the answer has.
#[cold]
fn add_reply_metadata(reply: &Mutex<Metadata>, answer: &mut Result<Response, Status>) {
    let mut metadata = std::mem::take(&mut *reply.lock());
    let own = match answer {
        Ok(response) => response.metadata_mut(),
        Err(status) => status.metadata_mut(),
    };
    metadata.inherit(own);
    *own = metadata;
}
