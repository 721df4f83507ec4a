//! The cluster client over real sockets: what becomes of calls when instances fail, are slow, are full, come and go.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod balancing;
mod choosing;
#[path = "../common/mod.rs"]
mod common;
mod courses;
mod discovery;
mod dynamic;
mod failover;
mod health;
mod hedging;
mod layers;
mod limits;
#[path = "../common/logs.rs"]
mod logs;
mod overload;
mod policies;
mod sharing;
mod strategies;
mod tower_layers;
mod wait_for_ready;
