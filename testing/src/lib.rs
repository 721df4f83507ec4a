//! For tests of services on doge-rpc; use the crate `doge-rpc` with the feature `testing`.
//!
//! - [`Simulation`]: runs of services that their seeds repeat, with crashes, and with what has to hold at all times.
//! - [`Wiring`], [`in_every_wiring!`]: one test body over the implementation, in process, over sockets and in a cluster
//!   that loses a server.
//! - [`Network`]: hosts whose connections are slow, cut, reset and stalled, as a seed has it.
//! - [`FaultyRegistry`]: a registry that delays what it says, lies, forgets, and comes back.

mod network;
mod registry;
mod simulation;
mod wiring;

pub use self::{
    network::{Conditions, HostTransport, Network},
    registry::FaultyRegistry,
    simulation::{Host, Seeds, Simulation},
    wiring::{Wires, Wiring, run_real},
};
