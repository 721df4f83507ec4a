use std::fmt;

use bytes::Bytes;

use super::{Attempt, Context, Route};
use crate::{
    Deadline, Metadata, Status,
    transport::Address,
    wire::{self, Arguments},
};

/// A call on its way: what tower layers see on both ends.
///
/// Cheap to clone, so that it can be sent again.
///
/// ```
/// use doge_rpc_core::{
///     Deadline,
///     call::{Request, Route},
///     schema::Encoding,
///     wire,
/// };
///
/// let route = Route::named("calculator", "add")?;
/// let body = wire::encode(&(1, 2), Encoding::Map)?;
/// let request = Request::new(route, body, Deadline::after(Deadline::DEFAULT_TIMEOUT));
///
/// let mut arguments = request.arguments()?;
/// assert_eq!(arguments.take::<u32>("a")?, 1);
/// # Ok::<(), doge_rpc_core::Status>(())
/// ```
#[derive(Clone)]
pub struct Request {
    route: Route,
    body: Bytes,
    deadline: Deadline,
    wait_for_ready: bool,
    errors_as_text: bool,
    /// Keys and values beside the call.
    pub metadata: Metadata,
    /// Which attempt this is, and how much the call matters.
    pub attempt: Attempt,
    peer: Option<Address>,
}

impl Request {
    /// A call of `route` with these arguments: a MessagePack array, as [`wire::encode`](crate::wire::encode) makes it.
    pub fn new(route: Route, body: Bytes, deadline: Deadline) -> Self {
        Self {
            route,
            body,
            deadline,
            wait_for_ready: false,
            errors_as_text: false,
            metadata: Metadata::new(),
            attempt: Attempt::default(),
            peer: None,
        }
    }

    /// The method called.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The arguments, a MessagePack array.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The moment by which the call has to end.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Replaces the deadline, for a layer that shortens it.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// Whether the call waits until its deadline for a connection instead of failing as soon as there is none.
    pub fn waits_for_ready(&self) -> bool {
        self.wait_for_ready
    }

    /// Says whether it waits for a connection.
    #[must_use]
    pub fn with_wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Whether the caller knows errors of the application as text only, which a service then adds to its answer with
    /// [`Response::with_text`](super::Response::with_text).
    pub fn wants_errors_as_text(&self) -> bool {
        self.errors_as_text
    }

    /// Says whether the caller knows errors of the application as text only.
    #[must_use]
    pub fn with_errors_as_text(mut self, as_text: bool) -> Self {
        self.errors_as_text = as_text;
        self
    }

    /// Who calls; `None` at the caller's end.
    pub fn peer(&self) -> Option<&Address> {
        self.peer.as_ref()
    }

    /// Says who calls.
    #[must_use]
    pub fn with_peer(mut self, peer: Address) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Takes the arguments apart.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the body is not an array, or claims what its bytes cannot hold.
    pub fn arguments(&self) -> Result<Arguments<'_>, Status> {
        Arguments::new(&self.route, &self.body)
    }

    /// The bytes of one argument as they travel, by the name that the method's schema has for it. `None` when the
    /// method is known by name only, has no such argument, or the body is cut short before its end.
    pub fn raw_argument(&self, name: &str) -> Option<&[u8]> {
        let mut arguments = self.route.schema()?.arguments().iter();
        let place = arguments.position(|argument| argument.name() == name)?;
        wire::raw_argument(&self.body, place)
    }

    /// The context that the handler of this request runs in.
    pub fn context(&self) -> Context {
        Context::new(
            self.peer.clone(),
            self.deadline,
            self.metadata.clone(),
            self.attempt,
        )
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("route", &self.route)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("deadline", &self.deadline)
            .field("metadata", &self.metadata)
            .field("attempt", &self.attempt)
            .field("peer", &self.peer)
            .finish()
    }
}
