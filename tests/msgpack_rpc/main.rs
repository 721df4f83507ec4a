//! MessagePack-RPC, the dialect of Python doge: what its clients meet at a server, byte by byte.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod calculator;
mod hostile;
mod limits;
mod meta;
mod meta_or_argument;
mod order;
mod peer;
mod requests;
