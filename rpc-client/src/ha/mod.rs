//! How often a call is tried, and where again: the strategies of a cluster.
//!
//! - [`Strategy`] and its parts: what a user chooses.
//! - [`Plan`]: a strategy with its state, which runs calls over [`Endpoints`].
//! - `retry_state`: the attempts of one call, once the first has failed. What a status allows is in `status_tables`.
//! - [`Budget`]: how much a failing service may cost on top.

mod backup;
mod broadcast;
mod budget;
mod config;
mod endpoints;
mod failfast;
mod failover;
mod failsafe;
mod pause;
mod plan;
mod retry_state;
#[cfg(test)]
mod tests;
mod tried;

pub use doge_rpc_core::schema::HedgeDelay;

pub use self::config::{BackupRequest, Failover, Failsafe, RetryBudget, Strategy};
pub(crate) use self::{
    budget::Budget,
    endpoints::{Endpoints, Event, Pick, Reach},
    plan::Plan,
    tried::Tried,
};
