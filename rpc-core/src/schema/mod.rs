//! What a service looks like from outside: names, arguments, docs, options. `#[service]` makes it from the trait;
//! [`ServiceSchema::builder`] makes the schema of a service that is learnt at run time.

mod argument;
mod builder;
mod error;
mod list;
mod method;
mod service;

pub use self::{
    argument::ArgumentSchema,
    builder::{MethodBuilder, ServiceBuilder},
    error::SchemaError,
    method::{Encoding, HedgeDelay, MethodSchema},
    service::ServiceSchema,
};
