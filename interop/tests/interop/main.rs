//! Peers of the MessagePack-RPC dialect that are not ours, first among themselves: what is expected of ours is what they
//! do there.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

#[cfg(feature = "python")]
mod among_python;
#[cfg(feature = "python")]
mod defects;
#[cfg(feature = "python")]
mod fleet;
#[cfg(feature = "neovim")]
mod neovim;
#[cfg(any(feature = "python", feature = "neovim"))]
mod ours;
#[cfg(all(feature = "python", feature = "etcd"))]
mod registries;
#[cfg(feature = "python")]
mod replaced;
#[cfg(feature = "python")]
mod soak;
#[cfg(feature = "python")]
mod trace;
#[cfg(feature = "python")]
mod values;

#[cfg(any(feature = "python", feature = "neovim"))]
use std::time::Duration;

/// Nothing here takes longer, unless it hangs.
#[cfg(any(feature = "python", feature = "neovim"))]
const LIMIT: Duration = Duration::from_secs(30);
