//! Which endpoints are kept out of rotation, and when they are tried again.
//!
//! [`judge`] says what an answer tells of its endpoint, [`Health`] counts that, and an [`Ejector`] looks at the counts of
//! all endpoints of a cluster: at once when one has failed too often in a row, and at each interval to compare them. It
//! ejects what stands out, within a cap. An ejected endpoint comes back when a probe of it goes well, never before.

mod config;
mod ejector;
mod endpoint;
mod outcome;
mod panic;
mod statistics;
#[cfg(test)]
mod tests;

pub use self::config::{FailurePercentage, HealthConfig, SuccessRate};
pub(crate) use self::{
    ejector::Ejector,
    endpoint::Health,
    outcome::{Outcome, judge},
    panic::panics,
};
