//! For tests of services on doge-rpc; use the crate `doge-rpc` with the feature `testing`.
//!
//! - [`Simulation`]: runs of services that their seeds repeat, with crashes, and with what has to hold at all times.
//! - [`Network`]: hosts whose connections are slow, cut, reset and stalled, as a seed has it.
//! - [`FaultyRegistry`]: a registry that delays what it says, lies, forgets, and comes back.

mod network;
mod registry;
mod simulation;

pub use self::{
    network::{Conditions, HostTransport, Network},
    registry::FaultyRegistry,
    simulation::{Host, Seeds, Simulation},
};
