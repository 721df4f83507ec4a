//! A microservice framework: a trait becomes a service.
//!
//! ```
//! use doge_rpc::prelude::*;
//!
//! #[service]
//! trait Hello {
//!     async fn hello(&self, name: String) -> Result<String, Status>;
//! }
//!
//! struct Greeter;
//!
//! impl Hello for Greeter {
//!     async fn hello(&self, name: String) -> Result<String, Status> {
//!         Ok(format!("Hello, {name}!"))
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder().add(HelloServer::new(Greeter)).start("tcp://127.0.0.1:0").await?;
//! let client = HelloClient::connect(server.address())?;
//! assert_eq!(client.hello("doge".into()).await?, "Hello, doge!");
//! server.drain().await;
//! # Ok(())
//! # }
//! ```
//!
//! The trait has three lives. Code that takes `impl Hello` gets the implementation itself in one process, the
//! generated `HelloClient` across processes, and a fake in a test; nothing else changes.
//!
//! # Where to find what
//!
//! - [`service`](macro@service): the macro, and all its options.
//! - [`Server`], [`server`]: serving, layers, limits, registration, drain.
//! - [`Client`], [`client`]: channels and clusters, and what they do when a server is away.
//! - [`CallOptions`], [`Context`], [`Metadata`], [`Deadline`]: what belongs to one call.
//! - [`Status`], [`Code`]: what the framework reports. An application's own errors are values of its own type.
//! - [`registry`]: who is alive and where.
//! - [`protocol`], [`connection`], [`transport`], [`wire`], [`schema`]: the parts, for those who build on them.

pub mod prelude;

#[doc(hidden)]
pub mod __private;

pub use doge_codegen_macros::service;
pub use doge_registry as registry;
pub use doge_rpc_client::Client;
pub use doge_rpc_core::{
    Code, Context, Deadline, Metadata, MetadataError, Status, call,
    call::{CallOptions, Criticality, ReplyMetadata, Request, Response},
    connection, driver, protocol, schema, transport, wire,
};
pub use doge_rpc_server::Server;

/// Channels and clusters: where the calls of a [`Client`] go.
pub mod client {
    pub use doge_rpc_client::{Backoff, Channel, ChannelConfig, Client, Cluster};
}

/// Serving: what, where, within which limits, and until when.
pub mod server {
    pub use doge_rpc_server::{Advertise, Builder, Running, Server, StartError};
}
