//! What the tests of several crates share: [`Process`]es that end with their test, a real [`Etcd`], a name server
//! (`NameServer`, with the feature `dns`), and waiting for something with a limit.
//!
//! All of it blocks the thread that calls it, for as long as it takes a process to start or stop. A test with work of
//! its own on the tokio runtime meanwhile uses `#[tokio::test(flavor = "multi_thread")]`. Whatever goes wrong here
//! panics and says what was expected: this is for tests alone.

#![allow(
    clippy::unwrap_used,
    reason = "tests say what they expect by unwrapping, and this is part of them"
)]

#[cfg(feature = "dns")]
mod dns;
mod etcd;
mod eventually;
mod port;
mod process;

#[cfg(feature = "dns")]
pub use dns::{Mood, NameServer, Question};
pub use etcd::{Etcd, EtcdOptions, EtcdV2};
pub use eventually::{eventually, eventually_async};
pub use port::free_port;
pub use process::Process;
