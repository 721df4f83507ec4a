//! The client of doge-rpc; use the crate `doge-rpc`.
//!
//! # Layout
//!
//! From the caller down, as a call goes:
//!
//! - [`Client`]: what a generated client holds; encodes a call, decodes its answer. [`Untyped`] does without the trait.
//! - [`Cluster`]: all endpoints of a service, as the registry has them. It has parts of its own:
//!   [`CallLimits`] are what calls pass first, a [`Strategy`] says how often a call is tried and where again,
//!   [`balance`] which endpoint takes an attempt, and [`HealthConfig`] which endpoints are kept out of rotation.
//! - [`Channel`]: the calls to one address; connects, reconnects, sends again what never left.
//! - `connection`: one socket and many calls, or for MessagePack-RPC a socket for each call that is under way.

pub mod balance;
mod channel;
mod client;
mod cluster;
mod connection;
mod ha;
mod health;
mod in_place;
mod late;
mod limit;
mod status_tables;
mod untyped;
mod watch;

pub use self::{
    balance::{Balancing, ConsistentHash, HashKey, LoadBalancing, SlowStart},
    channel::{Backoff, Channel, ChannelConfig, ChannelPool, ChannelStats},
    client::Client,
    cluster::{
        Answer, Cluster, ClusterBuilder, ClusterError, ClusterStats, EndpointStats, InstanceList,
        MethodPolicy,
    },
    connection::msgpack_rpc::MsgpackRpcConfig,
    ha::{BackupRequest, Failover, Failsafe, HedgeDelay, RetryBudget, Strategy},
    health::{FailurePercentage, HealthConfig, SuccessRate},
    limit::{CallLimits, InvalidLimits, Wait},
    untyped::Untyped,
    watch::{EndedCalls, SpanSampler},
};
