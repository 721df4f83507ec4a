use std::fmt;

use bytes::Bytes;

use super::{Attempt, Body, Context, Extensions, Peer, Route};
use crate::{
    Deadline, Metadata, Status,
    wire::{self, Arguments},
};

/// A request, as tower layers see it on both ends: a head with method, peer, deadline and metadata, and a body with the
/// arguments.
///
/// Cheap to clone, for retries.
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
    /// The context of the arrived call, while the request passes through server layers.
    arrived: Option<Context>,
    body: Body,
}

impl Request {
    /// A call of `route` with these arguments: a MessagePack array, as [`wire::encode`](crate::wire::encode) creates
    /// it.
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

    /// A request that arrived from this peer.
    #[inline]
    pub fn arrived(route: Route, arguments: Bytes, deadline: Deadline, peer: Peer) -> Self {
        Self {
            peer: Some(peer),
            ..Self::new(route, arguments, deadline)
        }
    }

    /// The called method.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The body: the arguments, optionally followed by items.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The bytes of the arguments, a MessagePack array.
    pub fn bytes(&self) -> &Bytes {
        self.body.bytes()
    }

    /// Sets the body, for arguments followed by items.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The deadline of the call.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Makes the deadline earlier; a later deadline changes nothing. In a server layer it applies to the handler and to
    /// the calls that the handler makes.
    pub fn shorten_deadline(&mut self, deadline: Deadline) {
        self.deadline = self.deadline.min(deadline);
    }

    /// The metadata of the call.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The metadata, mutable. The handler sees changes by server layers, and the calls that it makes inherit them.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Sets the metadata.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Typed values that layers attach for other layers and the handler; they never leave the process.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The typed values, mutable. The handler sees values of server layers, and the calls that it makes inherit them.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Sets the typed values.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Whether this is a retry, and the criticality of the call.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The attempt, mutable.
    pub fn attempt_mut(&mut self) -> &mut Attempt {
        &mut self.attempt
    }

    /// Sets whether this is a retry, and the criticality of the call.
    #[must_use]
    pub fn with_attempt(mut self, attempt: Attempt) -> Self {
        self.attempt = attempt;
        self
    }

    /// Whether the call waits for a connection until its deadline, instead of failing at once without one.
    pub fn waits_for_ready(&self) -> bool {
        self.wait_for_ready
    }

    /// Sets whether the call waits for a connection.
    #[must_use]
    pub fn with_wait_for_ready(mut self, wait: bool) -> Self {
        self.wait_for_ready = wait;
        self
    }

    /// Whether the caller takes errors of the application as text only. A service then adds the text to its answer with
    /// [`Response::with_text`](super::Response::with_text).
    pub fn wants_errors_as_text(&self) -> bool {
        self.errors_as_text
    }

    /// Sets whether the caller takes errors of the application as text only.
    #[inline]
    pub fn set_errors_as_text(&mut self, as_text: bool) {
        self.errors_as_text = as_text;
    }

    /// The caller; `None` on the client side.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    /// Sets the caller.
    #[must_use]
    pub fn with_peer(mut self, peer: Peer) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Sets the method, for a layer that redirects a call: the request stays part of the arrived call.
    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.route = route;
        self
    }

    /// Sets the context of the arrived call, whose end stops the handler. A server sets it for arriving requests. A
    /// layer that serves another request must change the request that it got, to keep this context.
    #[must_use]
    pub fn with_arrived(mut self, arrived: Context) -> Self {
        self.arrived = Some(arrived);
        self
    }

    /// Takes the context of the arrived call.
    pub(super) fn take_arrived(&mut self) -> Option<Context> {
        self.arrived.take()
    }

    /// Decodes the array of the arguments.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` if the body is not an array, or announces more than its bytes can hold.
    pub fn arguments(&self) -> Result<Arguments<'_>, Status> {
        Arguments::new(&self.route, self.bytes())
    }

    /// The encoded bytes of an argument, by its name in the method's schema. `None` if the route has no schema, the
    /// schema has no such argument, or the body ends before it does.
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
