//! The client of doge-rpc; use the crate `doge-rpc`.
//!
//! # Layout
//!
//! From the caller down, as a call goes:
//!
//! - [`Client`]: what a generated client holds; encodes a call, decodes its answer.
//! - [`Cluster`]: all endpoints of a service, as the registry has them.
//! - [`balance`]: which endpoint takes a call.
//! - [`Strategy`]: how often a call is tried, and where again.
//! - [`Channel`]: the calls to one address; connects, reconnects, sends again what never left.
//! - `connection`: one socket, many calls.
//!
//! Beside them, `limit` is what calls pass before they go anywhere, and `health` tells which endpoints are kept out of
//! rotation.

pub mod balance;
mod channel;
mod client;
mod cluster;
mod connection;
#[allow(dead_code, unused_imports, reason = "wired by the cluster")]
mod ha;
mod health;
#[allow(dead_code, unused_imports, reason = "wired by the cluster")]
mod limit;

pub use self::{
    balance::{Balancing, ConsistentHash, HashKey, LoadBalancing, SlowStart},
    channel::{Backoff, Channel, ChannelConfig},
    client::Client,
    cluster::Cluster,
    ha::{BackupRequest, Failover, Failsafe, HedgeDelay, RetryBudget, Strategy},
    health::{FailurePercentage, HealthConfig, SuccessRate},
    limit::{CallLimits, InvalidLimits, Wait},
};
