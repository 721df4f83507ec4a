//! How many calls a client lets out: per time, and at once.

mod config;
mod limiter;

pub use self::config::{CallLimits, InvalidLimits, Wait};
pub(crate) use self::limiter::{Limiter, Permit};
