use std::{
    fmt,
    future::Future,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Attempt, CallOptions, Request, Route};
use crate::{Deadline, Metadata, MetadataError, schema::MethodSchema, transport::Address};

tokio::task_local! {
    static CURRENT: Context;
}

/// The call that the current task serves: at hand without a parameter, and passed on by itself to the calls made
/// inside it. Cheap to clone.
///
/// It does not follow a `tokio::spawn`; take it along with [`scope`](Self::scope).
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
    peer: Option<Address>,
    deadline: Deadline,
    metadata: Metadata,
    attempt: Attempt,
    /// Made with the first entry: most handlers set none, and so no call has to take the lock.
    reply: OnceLock<Mutex<Metadata>>,
}

impl Context {
    /// A context of one call.
    pub fn new(
        peer: Option<Address>,
        deadline: Deadline,
        metadata: Metadata,
        attempt: Attempt,
    ) -> Self {
        Self(Arc::new(Inner {
            peer,
            deadline,
            metadata,
            attempt,
            reply: OnceLock::new(),
        }))
    }

    /// Makes this the context of another call of the same peer, in the same memory unless somebody else has kept a
    /// clone; those stay what they are.
    pub fn renew(&mut self, deadline: Deadline, metadata: Metadata, attempt: Attempt) {
        let Some(inner) = Arc::get_mut(&mut self.0) else {
            *self = Self::new(self.0.peer.clone(), deadline, metadata, attempt);
            return;
        };
        inner.deadline = deadline;
        inner.metadata = metadata;
        inner.attempt = attempt;
        inner.reply.take();
    }

    /// The call that this task serves; `None` outside of a handler.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
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

    /// Who calls; `None` for a call inside the process.
    pub fn peer(&self) -> Option<&Address> {
        self.0.peer.as_ref()
    }

    /// The moment by which the call has to end; the handler is stopped then.
    pub fn deadline(&self) -> Deadline {
        self.0.deadline
    }

    /// What came beside the call.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// Which attempt this is, and how much the call matters.
    pub fn attempt(&self) -> Attempt {
        self.0.attempt
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

    /// Takes what is to go back beside the answer.
    pub fn take_reply_metadata(&self) -> Metadata {
        let reply = self.0.reply.get();
        reply.map_or_else(Metadata::new, |reply| std::mem::take(&mut *reply.lock()))
    }

    /// A request of `route` as the current call makes it: its deadline is the nearer of its own and that of the
    /// call around it; metadata and criticality are passed on, and so is that somebody above is retrying already.
    pub fn request(route: Route, body: Bytes, options: &CallOptions, now: Instant) -> Request {
        let timeout = options
            .timeout
            .or_else(|| route.schema().and_then(MethodSchema::timeout))
            .unwrap_or(Deadline::DEFAULT_TIMEOUT);
        let own = Deadline::new(now, timeout);
        let mut attempt = Attempt::default();
        let mut metadata = options.metadata.clone();
        let deadline = CURRENT
            .try_with(|around| {
                metadata.inherit(&around.0.metadata.passed_on());
                attempt.retry = around.0.attempt.retry;
                attempt.criticality = around.0.attempt.criticality;
                own.min(around.0.deadline)
            })
            .unwrap_or(own);
        if let Some(criticality) = options.criticality {
            attempt.criticality = criticality;
        }
        let mut request = Request::new(route, body, deadline)
            .with_wait_for_ready(options.wait_for_ready.unwrap_or(false));
        request.metadata = metadata;
        request.attempt = attempt;
        request
    }

    /// Time that is left to the call.
    pub fn remaining(&self) -> Duration {
        self.0.deadline.remaining()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("peer", &self.0.peer)
            .field("deadline", &self.0.deadline)
            .field("metadata", &self.0.metadata)
            .field("attempt", &self.0.attempt)
            .finish_non_exhaustive()
    }
}
