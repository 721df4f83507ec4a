//! What a call carries, and how its end is seen: the same over every transport, in process and, as far as it can say so,
//! over MessagePack-RPC.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[path = "../common/mod.rs"]
mod common;

mod cancellation;
mod context;
mod credentials;
mod direct;
mod ends;
mod lives;
mod passed_on;
mod scenarios;
