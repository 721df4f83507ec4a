//! What most services need: `use doge_rpc::prelude::*;`.

pub use crate::{
    CallOptions, Client, Code, Context, Deadline, Metadata, Server, Status, registry::Registry,
    service,
};
