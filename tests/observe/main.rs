//! What a server shows of its calls: observers, figures and logs agree with each other and with what callers saw.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod chaos;
#[path = "../common/mod.rs"]
mod common;
mod connections;
mod ends;
#[path = "../common/logs.rs"]
mod log;
mod logs;
#[path = "../bad_input/peer.rs"]
#[allow(dead_code, reason = "another test binary needs the rest")]
mod peer;
mod recorder;
mod refusals;
mod subject;
mod world;
