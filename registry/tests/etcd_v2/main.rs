//! The registry of Python doge, with a real etcd.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod common;
#[path = "../etcd/link.rs"]
mod link;
mod odd_peers;
mod outages;
mod registering;
mod watching;
