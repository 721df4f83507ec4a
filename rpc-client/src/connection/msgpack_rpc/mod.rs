//! The pool of connections over which a server of MessagePack-RPC is called.
//!
//! Such a server is asked one thing at a time on each connection: Python doge answers the first of two requests that
//! arrive together, and the second only when a third arrives. So calls that are made at once take a connection each, up
//! to a limit, beyond which they wait in order. What went wrong with one call cannot reach the next: only a connection
//! that has brought the answer to its last request, and nothing else, is used again.

mod config;
mod failure;
mod idle;
mod places;
mod pool;
mod reaper;
mod shared;
mod socket;
#[cfg(test)]
mod tests;
mod unserved;

pub use self::config::MsgpackRpcConfig;
pub(crate) use self::pool::Pool;
