//! The promises of the framework over a simulated network, with faults that seeds draw.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod cluster;
mod ledger;
