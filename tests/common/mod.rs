//! What several test binaries share: instances that do as a test says, each behind a proxy on a real socket.

#![allow(
    dead_code,
    unused_imports,
    reason = "not every test binary needs all of it"
)]

mod fleet;
mod probe;
mod proxy;
mod published;
mod random;
mod until;

pub(crate) use self::{
    fleet::{Fleet, Replica},
    probe::{Act, Handlers, Probe, ProbeClient, ProbeServer, Seen, Trouble},
    proxy::Proxy,
    published::Published,
    random::Random,
    until::{LIMIT, patient, soon, until, until_called},
};
