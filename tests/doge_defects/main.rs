//! What went wrong in doge and in Motan, each by a test that our code passes.
//!
//! Tests are numbered by defect. What doge did is said above each, in a line.
//! Defect 15, a server that signals did not stop, has its tests in `tests/promises/signals.rs`; the strategies have
//! theirs to the millisecond, on paused time, in `rpc-client/src/ha/tests`.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod backup_requests;
mod calls;
#[path = "../common/mod.rs"]
mod common;
mod instances;
mod limits;
mod motan;
mod registries;
