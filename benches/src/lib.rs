//! Benchmarks of doge-rpc, end to end against the floors that no RPC over one TCP connection can get below.
//!
//! `cargo bench -p doge-benches` runs them. `benches/end_to_end.rs` starts here:
//!
//! - [`Contender`]: what is measured, one file each in [`contenders`]; to add one, write its file and name it in
//!   [`Entry`]. What its server does is a [`Handler`]. Other RPC libraries are behind the feature `peers`, which needs
//!   protoc and capnp (on Debian `protobuf-compiler` and `capnproto`).
//! - [`floor`]: a bare tokio echo, which the floors are made of.
//! - [`Payload`], [`Value`]: what goes through.
//! - [`measure`]: one cell once: a server process, a client, what the [`load`] between them costs by the [`Meter`].
//! - [`Plan`], [`rounds`]: all cells, in interleaved rounds.
//! - [`costs`]: memory and system calls, measured once.
//! - [`summary`], [`picking`], [`tables`], [`plots`], [`report`], [`document`]: what came out of it.

mod contender;
pub mod contenders;
pub mod costs;
pub mod document;
mod files;
pub mod floor;
mod handler;
pub mod load;
pub mod measure;
mod memory;
mod meter;
mod options;
mod payload;
pub mod picking;
mod plan;
pub mod plots;
mod process;
pub mod report;
pub mod rounds;
mod server_process;
pub mod summary;
pub mod tables;

pub use self::{
    contender::{Contender, Error},
    contenders::Entry,
    handler::Handler,
    memory::Memory,
    meter::{Allocated, Meter, Usage},
    options::{Options, Role},
    payload::{Payload, Small, Value},
    plan::{Cell, Group, Plan, Work, Workload},
    server_process::{ServerProcess, serve},
};
