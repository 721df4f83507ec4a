//! Peers of the MessagePack-RPC dialect that are not ours, first among themselves: what is expected of ours is what they
//! do there.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[cfg(feature = "python")]
mod among_python;
#[cfg(feature = "neovim")]
mod neovim;

#[cfg(feature = "python")]
use std::time::Duration;

/// Nothing here takes longer, unless it hangs.
#[cfg(feature = "python")]
const LIMIT: Duration = Duration::from_secs(30);
