//! Peers of the MessagePack-RPC dialect that are not ours, each a process: servers and clients of Python's mprpc and
//! dogerpc, and neovim, which speaks the same; and a server of ours, [`Ours`], that can stand where theirs do.
//!
//! The Python ones are scripts in `interop/python`, run by the Python in `target/python` that has the packages;
//! `cargo xtask test` installs them there. All of it is for tests: it blocks the thread that calls it, and panics with
//! all that a peer has said when that is not what was expected.
//!
//! ```no_run
//! use doge_interop::{Caller, Meta, Server, scenario};
//! use serde_json::json;
//!
//! let server = Server::mprpc(Meta::First);
//! assert_eq!(server.address(), format!("doge://127.0.0.1:{}", server.port));
//!
//! let mut caller = Caller::mprpc(server.port);
//! assert_eq!(caller.call("sum", json!([{}, 1, 2])), Ok(json!(3)));
//! assert_eq!(caller.call("boom", json!([{}])), Err("RPCError: boom".into()));
//!
//! for case in scenario("values", server.port, Meta::First, &[]) {
//!     assert_eq!(case["same"], true, "{case}");
//! }
//! ```

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect by unwrapping, and this is part of them"
)]

mod caller;
pub mod dogerpc;
mod meta;
mod ours;
mod programs;
mod scenario;
mod server;

use std::time::Duration;

pub use self::{
    caller::Caller,
    meta::Meta,
    ours::{Failure, Methods, MethodsClient, MethodsServer, Ours},
    scenario::scenario,
    server::Server,
};

/// Far more than it takes a peer to start or to answer, on a machine with other work to do.
const LIMIT: Duration = Duration::from_secs(30);
