//! The registry in etcd, with a real etcd.

mod access;
mod changes;
mod cold_start;
mod common;
mod foreign;
mod hold_back;
mod lease;
mod many;
mod members;
mod outages;
mod tls;
