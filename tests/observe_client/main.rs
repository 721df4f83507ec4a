//! What a client shows of its calls: however a call ends, the caller, the observer and the statistics say the same.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod attempts;
mod calls;
mod channels;
mod chaos;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod endpoints;
mod items;
mod ledger;
mod lines;
mod world;
