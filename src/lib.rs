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
//! let server = Server::builder().add(HelloServer::new(Greeter));
//! let server = server.start("tcp://127.0.0.1:0").await?;
//! let client = HelloClient::connect(server.address())?;
//! assert_eq!(client.hello("doge".into()).await?, "Hello, doge!");
//! server.drain().await;
//! # Ok(())
//! # }
//! ```
//!
//! Code that takes `impl Hello` works with the implementation itself in one process, with the generated `HelloClient`
//! across processes, and with a fake in a test; nothing else changes.
//!
//! # Where to find what
//!
//! - [`service`](macro@service): the macro, and all its options.
//! - [`Server`], [`server`]: serving, layers, limits, registration, drain.
//! - [`Client`], [`client`]: channels and clusters; load balancing ([`client::Balancing`]), retries and hedging
//!   ([`client::Strategy`]), limits ([`client::CallLimits`]).
//! - [`CallOptions`], [`Context`], [`Metadata`], [`Deadline`]: options and context of one call.
//! - [`observe`]: observers of calls; [`server::ServerStats`], [`client::ClusterStats`]: statistics.
//! - [`Status`], [`Code`]: errors of the framework. An application's own errors are values of its own type.
//! - [`registry`]: service discovery.
//! - [`msgpack_rpc`]: Python doge and other peers that speak MessagePack-RPC. A server answers them without
//!   configuration, and a client calls `doge://host:port` like any other address.
//! - [`protocol`], [`connection`], [`transport`], [`wire`], [`schema`]: the building blocks.
//!
//! # Features
//!
//! - `dns`: adds `registry::Dns`, and `dns://` and `dns+srv://` to [`registry::open`]. Off by default.
//! - `etcd`: adds `registry::Etcd`, and `etcd://` and `etcds://` to [`registry::open`]. Building it needs protoc and a
//!   C compiler. Off by default.
//! - `etcd-v2`: adds `registry::EtcdV2`, the registry of Python doge, and `etcd-v2://` to [`registry::open`]; and
//!   `registry::Bridge`, which connects two registries. Off by default.

pub mod prelude;

#[doc(hidden)]
pub mod __private;

#[doc(inline)]
pub use doge_base::Env;

/// Turns a trait into a service: a client, a server and a schema.
///
/// ```
/// use doge_rpc::prelude::*;
/// use serde::{Deserialize, Serialize};
/// use thiserror::Error;
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// pub struct Employee {
///     name: String,
/// }
///
/// /// Why the service refuses. `Status` is what the framework itself reports to the caller.
/// #[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
/// pub enum EmployeeError {
///     #[error("there is no employee {0}")]
///     NotFound(u32),
///     #[error(transparent)]
///     Status(#[from] Status),
/// }
///
/// /// Who works here.
/// #[service(name = "hr.employee", version = "1")]
/// pub trait EmployeeService {
///     /// Looks an employee up.
///     #[rpc(idempotent, timeout = "300ms")]
///     async fn get(&self, id: u32) -> Result<Employee, EmployeeError>;
///
///     /// Employees in the order they were hired; `limit` was added later.
///     #[rpc(idempotent)]
///     async fn list(
///         &self,
///         after: Option<u32>,
///         #[rpc(default = "usual_limit")] limit: u32,
///     ) -> Result<Vec<Employee>, EmployeeError>;
/// }
///
/// fn usual_limit() -> u32 {
///     50
/// }
///
/// struct Employees(Vec<Employee>);
///
/// impl EmployeeService for Employees {
///     async fn get(&self, id: u32) -> Result<Employee, EmployeeError> {
///         let employee = self.0.get(id as usize).cloned();
///         employee.ok_or(EmployeeError::NotFound(id))
///     }
///
///     async fn list(&self, after: Option<u32>, limit: u32) -> Result<Vec<Employee>, EmployeeError> {
///         let first = after.map_or(0, |id| id as usize + 1);
///         let employees = self.0.iter().skip(first).take(limit as usize);
///         Ok(employees.cloned().collect())
///     }
/// }
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ada = Employee { name: "Ada".into() };
/// let employees = Employees(vec![ada.clone()]);
/// let server = Server::builder().add(EmployeeServer::new(employees));
/// let server = server.start("tcp://127.0.0.1:0").await?;
///
/// let client = EmployeeClient::connect(server.address())?;
/// assert_eq!(client.get(0).await?, ada);
/// assert_eq!(client.get(7).await, Err(EmployeeError::NotFound(7)));
/// assert_eq!(client.list(None, 10).await?, [ada]);
/// server.drain().await;
/// # Ok(())
/// # }
/// ```
pub use doge_codegen_macros::service;
pub use doge_registry as registry;
pub use doge_rpc_client::Client;
pub use doge_rpc_core::{
    CREDENTIAL_KEYS, Code, Context, Deadline, Disposition, HOP_PREFIX, Metadata, MetadataError,
    Status, call,
    call::{CallOptions, Criticality, ReplyMetadata, Request, Response},
    connection, msgpack_rpc, observe, protocol, schema, transport, wire,
};
pub use doge_rpc_server::Server;

/// Tests of services over a simulated network, and in every wiring.
#[cfg(feature = "testing")]
pub use doge_testing as testing;

/// Channels and clusters, which carry the calls of a [`Client`].
///
/// ```
/// use std::sync::Arc;
///
/// use doge_rpc::{
///     client::{CallLimits, ClusterError, MethodPolicy, Strategy},
///     prelude::*,
///     registry::Registry,
/// };
///
/// #[service]
/// trait Hello {
///     #[rpc(idempotent, hedge = "p95")]
///     async fn hello(&self, name: String) -> Result<String, Status>;
///     async fn forget(&self, name: String) -> Result<(), Status>;
/// }
///
/// async fn client(registry: &Arc<dyn Registry>) -> Result<HelloClient, ClusterError> {
///     let cluster = HelloClient::cluster()
///         .registry(registry)
///         .limits(CallLimits::new().concurrency(200))
///         .method("forget", MethodPolicy::new().strategy(Strategy::Failfast));
///     Ok(HelloClient::new(cluster.follow().await?))
/// }
/// ```
pub mod client {
    pub use doge_rpc_client::{
        Answer, Backoff, BackupRequest, Balancing, CallLimits, Channel, ChannelConfig, ChannelPool,
        ChannelStats, Client, Cluster, ClusterBuilder, ClusterError, ClusterStats, ConsistentHash,
        EndedCalls, EndpointStats, Failover, Failsafe, FailurePercentage, HashKey, HealthConfig,
        HedgeDelay, InstanceList, InvalidLimits, LoadBalancing, MethodPolicy, MsgpackRpcConfig,
        RetryBudget, SlowStart, SpanSampler, Strategy, SuccessRate, Untyped, Wait, balance,
    };
}

/// Servers: builder, limits, registration, statistics and drain.
pub mod server {
    pub use doge_rpc_server::{
        Advertise, Builder, Interrupted, ListenOn, MethodStats, Running, Server, ServerStats,
        StartError, StopSignal,
    };
}
