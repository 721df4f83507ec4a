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

/// The call that the current task serves: available without a parameter, and inherited by the calls that the handler
/// makes. Cheap to clone.
///
/// The context is created from the request that reaches the handler, after server layers have changed it.
/// `tokio::spawn` loses the context; pass it on with [`scope`](Self::scope).
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
    /// Created with the first entry, since most handlers set none and need no lock.
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

/// The progress of a call at the server, and its cancellation.
#[derive(Default)]
struct End {
    stage: AtomicU8,
    cancelled: OnceLock<Cancellation>,
    handler: AtomicWaker,
}

/// The handler was started.
const STARTED: u8 = 1;
/// The handler waits in [`Context::poll_cancelled`], and is woken by a cancel.
const LISTENS: u8 = 2;
/// The call is over; its handler must not start any more.
const OVER: u8 = 4;
/// This is the context of the arrived call, outside its layers.
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

    /// Replaces this context by that of another request, in the same memory unless there are clones. Clones do not
    /// change.
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

    /// The context of the call that this task serves; `None` outside a handler.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Runs a function with the current context, without cloning it.
    pub(super) fn with_current<R>(run: impl FnOnce(&Self) -> R) -> Option<R> {
        CURRENT.try_with(run).ok()
    }

    /// Runs a future within this context, for tasks that a handler spawns. As cancel safe as that future, which is
    /// dropped with this one.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Runs a function within this context.
    pub fn sync_scope<R>(self, run: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, run)
    }

    /// The called method.
    pub fn route(&self) -> &Route {
        &self.0.head.route
    }

    /// The caller; an in-process peer has no address.
    pub fn peer(&self) -> Option<&Peer> {
        self.0.head.peer.as_ref()
    }

    /// The deadline of the call, at which the handler is stopped.
    pub fn deadline(&self) -> Deadline {
        self.0.head.deadline
    }

    /// The time until the deadline.
    pub fn remaining(&self) -> Duration {
        self.deadline().remaining()
    }

    /// The metadata of the request, as the layers left it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.head.metadata
    }

    /// Typed values that layers attached to the call, such as the authenticated user.
    pub fn extensions(&self) -> &Extensions {
        &self.0.head.extensions
    }

    /// Whether this is a retry, and the criticality of the call.
    pub fn attempt(&self) -> Attempt {
        self.0.head.attempt
    }

    /// Sets an entry in the metadata of the answer, be it a result or an error.
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

    /// Puts the [reply metadata](Self::set_reply_metadata) into an answer, and overrides entries that the answer has. A status
    /// that came from another service is passed on, whoever returned it.
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

    /// Cancels the call: wakes the handler, which stops and answers with the status of the cancellation, so that the
    /// layers around it see how the call ended. False if no handler waits, so that the caller of this method has to
    /// stop the call from outside.
    pub fn cancel(&self, cancellation: Cancellation) -> bool {
        let end = &self.0.end;
        // The first reason counts.
        let _ = end.cancelled.set(cancellation);
        let listens = end.stage.load(Ordering::Acquire) & LISTENS != 0;
        end.handler.wake();
        listens
    }

    /// The cancellation of the call, if it was cancelled.
    pub fn cancellation(&self) -> Option<&Cancellation> {
        self.0.end.cancelled.get()
    }

    /// Waits in the handler until the call is [cancelled](Self::cancel).
    pub fn poll_cancelled(&self, task: &Task<'_>) -> Poll<Cancellation> {
        let end = &self.0.end;
        end.handler.register(task.waker());
        end.stage.fetch_or(LISTENS, Ordering::AcqRel);
        match end.cancelled.get() {
            Some(cancellation) => Poll::Ready(cancellation.clone()),
            None => Poll::Pending,
        }
    }

    /// Records that layers are around the handler, so that the call is [finished](Self::finish) with their answer.
    pub fn layered(&self) {
        self.0.end.stage.fetch_or(LAYERED, Ordering::AcqRel);
    }

    /// Records that a request was served that a layer of this call may have made, so that the call no longer counts as
    /// never run.
    pub(super) fn served_another_request(&self) {
        if self.0.end.stage.load(Ordering::Acquire) & LAYERED != 0 {
            self.0.end.stage.fetch_or(STARTED, Ordering::AcqRel);
        }
    }

    /// Records that the handler starts.
    ///
    /// # Errors
    ///
    /// When the call is already over, because a layer held its request for too long.
    pub(super) fn start(&self) -> Result<(), Status> {
        let before = self.0.end.stage.fetch_or(STARTED, Ordering::AcqRel);
        if before & OVER != 0 {
            let why = format!("{} was over before it reached the handler", self.route());
            return Err(Status::cancelled(why).rejected());
        }
        Ok(())
    }

    /// Ends the call with the answer of the layers. A status is a refusal (never ran) if no handler was started, and no
    /// handler starts from now on. A status that a layer received from another service is passed on.
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

/// Adds reply metadata, which overrides entries of the answer.
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
