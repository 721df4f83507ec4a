//! Replicas that are killed, paused and restarted under load.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod dead_address;
#[cfg(feature = "etcd")]
mod etcd;
mod fleet;
mod half_open;
mod kill;
mod load;
mod restart;

use std::time::Duration;

/// Nothing here takes longer, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
