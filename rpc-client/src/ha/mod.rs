//! How often a call is tried, and where again: the strategies of a cluster.
//!
//! - [`Strategy`] and its parts: what a user chooses.
//! - [`Plan`]: a strategy with its state, which runs calls over [`Endpoints`].
//! - `verdict`: what the status of an attempt allows. Everything rests on it.
//! - `course`: the attempts of one call, once the first has failed.
//! - [`Budget`]: how much a failing service may cost on top.

mod backup;
mod broadcast;
mod budget;
mod config;
mod course;
mod endpoints;
mod failfast;
mod failover;
mod failsafe;
mod pause;
mod plan;
#[cfg(test)]
mod tests;
mod tried;
mod verdict;

pub use doge_rpc_core::schema::HedgeDelay;

pub use self::config::{BackupRequest, Failover, Failsafe, RetryBudget, Strategy};
pub(crate) use self::{
    budget::Budget,
    endpoints::{Endpoints, Event, Pick},
    plan::Plan,
    tried::Tried,
};
