use std::fmt;

use bytes::Bytes;

use super::{Attempt, Body, Context, Extensions, Peer, Route};
use crate::{
    Deadline, Metadata, Status,
    wire::{self, Arguments},
};

/// A call on its way, as tower layers see it on both ends: a head that says what is called, by whom and until when, and a
/// body with the arguments.
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
/// let arguments = wire::encode(&(1, 2), Encoding::Map)?;
/// let request = Request::new(route, arguments, Deadline::after(Deadline::DEFAULT_TIMEOUT));
///
/// let mut arguments = request.arguments()?;
/// assert_eq!(arguments.take::<u32>("a")?, 1);
/// # Ok::<(), doge_rpc_core::Status>(())
/// ```
#[derive(Clone)]
pub struct Request {
    route: Route,
    deadline: Deadline,
    attempt: Attempt,
    pub(super) wait_for_ready: bool,
    errors_as_text: bool,
    metadata: Metadata,
    extensions: Extensions,
    peer: Option<Peer>,
    /// The call as it arrived at a server, while layers are between it and the handler.
    arrived: Option<Context>,
    body: Body,
}

impl Request {
    /// A call of `route` with these arguments: a MessagePack array, as [`wire::encode`](crate::wire::encode) makes it.
    #[inline]
    pub fn new(route: Route, arguments: Bytes, deadline: Deadline) -> Self {
        Self {
            route,
            deadline,
            attempt: Attempt::default(),
            wait_for_ready: false,
            errors_as_text: false,
            metadata: Metadata::new(),
            extensions: Extensions::default(),
            peer: None,
            arrived: None,
            body: arguments.into(),
        }
    }

    /// A call that arrived from this peer.
    #[inline]
    pub fn arrived(route: Route, arguments: Bytes, deadline: Deadline, peer: Peer) -> Self {
        Self {
            peer: Some(peer),
            ..Self::new(route, arguments, deadline)
        }
    }

    /// The method called.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The arguments, and items behind them if there are any.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The bytes of the arguments, a MessagePack array.
    pub fn bytes(&self) -> &Bytes {
        self.body.bytes()
    }

    /// Sets the body, for arguments with items behind them.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The moment by which the call has to end.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Makes the deadline nearer; a later one changes nothing. In a server layer the handler is stopped at this moment, and
    /// the calls inside it have no more time.
    pub fn shorten_deadline(&mut self, deadline: Deadline) {
        self.deadline = self.deadline.min(deadline);
    }

    /// Keys and values beside the call.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Keys and values beside the call, to be changed. What a server layer changes is what the handler sees, and what the
    /// calls inside it pass on.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Sets the keys and values beside the call.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Typed values that layers attach for other layers and the handler; they do not leave the process.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Typed values that layers attach, to be changed. What a server layer inserts is at hand in the handler, and in the
    /// requests of the calls inside it.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Sets the typed values.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Which attempt this is, and how much the call matters.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Which attempt this is, to be changed.
    pub fn attempt_mut(&mut self) -> &mut Attempt {
        &mut self.attempt
    }

    /// Says which attempt this is, and how much the call matters.
    #[must_use]
    pub fn with_attempt(mut self, attempt: Attempt) -> Self {
        self.attempt = attempt;
        self
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
    #[inline]
    pub fn set_errors_as_text(&mut self, as_text: bool) {
        self.errors_as_text = as_text;
    }

    /// Who calls; `None` at the caller's end.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// Says who calls.
    #[must_use]
    pub fn with_peer(mut self, peer: Peer) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the method, for a layer that sends a call elsewhere: the request stays part of the call that arrived.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// Says which arrived call this is, whose end stops its handler. A server does so for the requests that arrive; a layer
    /// that wants to serve another request changes the one that it has.
    #[must_use]
    pub fn with_arrived(mut self, arrived: Context) -> Self {
        self.arrived = Some(arrived);
        self
    }

    /// The arrived call that this is, taken out.
    pub(super) fn take_arrived(&mut self) -> Option<Context> {
        self.arrived.take()
    }

    /// Takes the arguments apart.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when the body is not an array, or claims what its bytes cannot hold.
    pub fn arguments(&self) -> Result<Arguments<'_>, Status> {
        Arguments::new(&self.route, self.bytes())
    }

    /// The bytes of one argument as they travel, by the name that the method's schema has for it. `None` when the
    /// method is known by name only, has no such argument, or the body is cut short before its end.
    pub fn raw_argument(&self, name: &str) -> Option<&[u8]> {
        let mut arguments = self.route.schema()?.arguments().iter();
        let place = arguments.position(|argument| argument.name() == name)?;
        wire::raw_argument(self.bytes(), place)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("route", &self.route)
            .field("body", &self.body)
            .field("deadline", &self.deadline)
            .field("metadata", &self.metadata)
            .field("attempt", &self.attempt)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
