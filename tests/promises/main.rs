//! What the framework promises, each by a test that fails without it.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod application_errors;
mod at_most_once;
mod blocking;
mod cancellation;
mod context;
mod deadlines;
mod discovery;
mod drain;
mod isolation;
mod layers;
mod listening;
#[path = "../common/logs.rs"]
mod logs;
mod overload;
mod reconnect;
mod runtimes;
mod signals;
mod support;
mod transports;
