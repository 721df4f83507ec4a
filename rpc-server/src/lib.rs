//! The server of doge-rpc; use the crate `doge-rpc`.
//!
//! # Layout
//!
//! - [`Server`], [`Builder`]: what to serve, and within which limits.
//! - [`ListenOn`]: addresses and sockets to serve on.
//! - [`Running`]: a server that listens; its drain.
//! - [`StopSignal`]: what begins the drain of a process.
//! - [`ServerStats`]: what a server counts.
//! - `watch`: observers, spans and log lines of calls.
//! - `router`: from the names on the wire to a handler, through the layers.
//! - `connection`: one socket, and the calls that run on it.

mod accept;
mod advertise;
mod builder;
mod connection;
mod error;
mod farewell;
mod gate;
mod listen;
mod router;
mod running;
mod signal;
mod stats;
mod watch;

pub use self::{
    advertise::Advertise,
    builder::{Builder, Server},
    error::StartError,
    listen::ListenOn,
    running::Running,
    signal::{Interrupted, StopSignal},
    stats::{MethodStats, ServerStats},
};
