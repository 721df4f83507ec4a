//! The registry of Python doge and the bridge to it, with a real etcd.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod bridge;
mod bridge_trouble;
mod common;
#[path = "../etcd/link.rs"]
mod link;
mod odd_peers;
mod outages;
mod registering;
mod watching;
