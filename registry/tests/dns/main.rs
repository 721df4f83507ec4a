//! The registry in DNS, with a name server on loopback.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod addresses;
mod changes;
mod common;
mod first_look;
mod sharing;
mod srv;
mod trouble;
