//! A call as both ends hold it: what is asked, by whom, until when, and what came back.

mod context;
mod described;
mod handle;
mod layers;
mod options;
mod request;
mod response;
mod route;
mod serve;

pub(crate) use self::route::route_number;
pub use self::{
    context::Context,
    described::{ByDisplay, Described, WithoutDisplay},
    handle::{Handled, guard, handle},
    layers::{BoxedService, CallLayer, Layers},
    options::{CallOptions, ReplyMetadata},
    request::Request,
    response::Response,
    route::Route,
    serve::{Serve, ServiceError, Wire, unknown_method},
};
pub use crate::protocol::{Attempt, Criticality, Names};
