//! What the code that `#[service]` makes refers to. Not part of the API.

pub use std::{sync::Arc, time::Duration};

pub use doge_registry::Registry;
pub use doge_rpc_client::{Client, Cluster, ClusterBuilder, ClusterError};
pub use doge_rpc_core::{
    Status,
    call::{
        ByDisplay, CallOptions, Described, Request, Response, Serve, ServiceError, Wire,
        WithoutDisplay, handle, unknown_method,
    },
    schema::{ArgumentSchema, HedgeDelay, MethodSchema, ServiceSchema},
    transport::{AddressError, IntoAddress},
    wire::{Arguments, explore},
};
pub use futures_util::future::BoxFuture;
pub use tower;
