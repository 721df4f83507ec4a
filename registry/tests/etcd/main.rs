//! The registry in etcd, with a real etcd.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod access;
mod changes;
mod cold_start;
mod common;
mod farewell;
mod foreign;
mod gateway;
mod guard;
mod history;
mod hold_back;
mod lease;
mod link;
mod many;
mod members;
mod outages;
mod rights;
mod tls;
mod unwatchable;
mod users;
