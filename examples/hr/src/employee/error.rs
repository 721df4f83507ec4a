use doge_rpc::Status;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::identity::{EmployeeNumber, RequestKey};

/// Why the employee service refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EmployeeError {
    /// Nobody has this number.
    #[error("there is no employee {0}")]
    NotFound(EmployeeNumber),
    /// Somebody else has this number.
    #[error("employee number {0} is taken; leave it out to get a free one")]
    NumberTaken(EmployeeNumber),
    /// Another person was hired with this key.
    #[error(
        "request key {0} was used to hire another person; make a new key for each person to hire"
    )]
    KeyReused(RequestKey),
    /// Nobody was hired with this key.
    #[error("nobody was hired with request key {0}; hire first")]
    NoHire(RequestKey),
    /// The hire was undone, and is not done again.
    #[error("the hire with request key {0} was withdrawn; hire again with a new key")]
    Withdrawn(RequestKey),
    /// The hire cannot be undone any more.
    #[error(
        "the hire of employee {0} is settled, or the employee has changed since; terminate instead of withdrawing"
    )]
    Settled(EmployeeNumber),
    /// Employment ended before.
    #[error("employee {0} is terminated")]
    Terminated(EmployeeNumber),
    /// A field that cannot be so; which, and what it may be.
    #[error("{0}")]
    Invalid(String),
    /// What the framework reports.
    #[error(transparent)]
    Status(#[from] Status),
}

impl EmployeeError {
    pub(super) fn invalid(field: &str, expected: &str, found: impl std::fmt::Display) -> Self {
        Self::Invalid(format!("{field} has to be {expected}, not {found}"))
    }
}
