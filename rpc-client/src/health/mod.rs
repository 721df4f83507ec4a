//! Which endpoints are kept out of rotation, and when they are tried again.
//!
//! [`HealthOutcome`] says what an answer tells of its endpoint, [`Health`] counts that, and an [`Ejector`] looks at the counts of
//! all endpoints of a cluster: at once when one has failed too often in a row, and at each interval to compare them. It
//! ejects what stands out, within a cap. An ejected endpoint comes back when a probe of it goes well, never before.

mod config;
mod ejector;
mod endpoint;
mod panic;
mod statistics;
#[cfg(test)]
mod tests;

pub use self::config::{FailurePercentage, HealthConfig, SuccessRate};
pub(crate) use self::{ejector::Ejector, endpoint::Health, panic::panics};
pub(crate) use crate::status_tables::HealthOutcome;
