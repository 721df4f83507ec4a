//! Calling servers that speak MessagePack-RPC, as Python doge does: what goes over the wire, what becomes of
//! connections, and how such servers fare in a cluster. They are scripts here, so that they can misbehave.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod answers;
mod both_ends;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod fleets;
mod hostile;
mod identity;
mod peer;
