//! A call as both ends see it: request, response, context, deadline, cancellation and peer.

mod body;
mod cancellation;
mod context;
mod described;
mod extensions;
mod handle;
mod layers;
mod options;
mod peer;
mod request;
mod response;
mod route;
mod serve;

pub use self::{
    body::{Body, BodyEnd, Items},
    cancellation::{CancelReason, Cancellation},
    context::Context,
    described::{ByDisplay, Described, WithoutDisplay},
    extensions::Extensions,
    handle::{guard, handle},
    layers::{BoxedService, CallLayer, Layers},
    options::{CallOptions, ReplyMetadata},
    peer::Peer,
    request::Request,
    response::Response,
    route::Route,
    serve::{Serve, ServiceError, Wire, unknown_method},
};
pub(crate) use self::{cancellation::MAX_CANCEL_TEXT, route::route_number};
pub use crate::protocol::{Attempt, Criticality, Names};
