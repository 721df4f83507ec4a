//! How many calls a client lets out: per time, and at once.
//!
//! A call that meets a limit is refused at once or waits its turn, as [`CallLimits`] say. A [`Limiter`] is those limits at
//! work: a token bucket for the [`rate`], [`slots`] for what is in flight, and a [`queue`] in front of both.

mod clock;
mod config;
mod limiter;
mod queue;
mod rate;
mod refusal;
mod slots;
#[cfg(test)]
mod tests;

pub use self::config::{CallLimits, InvalidLimits, Wait};
pub(crate) use self::limiter::{Limiter, Permit};
