use doge_rpc::Status;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_GRANT_DAYS, RequestId, RequestState};
use crate::identity::{EmployeeNumber, RequestKey};

/// Why the leave service refuses.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum LeaveError {
    /// Nothing was ever granted to this employee.
    #[error("employee {0} has no leave account; grant days first")]
    NoAccount(EmployeeNumber),
    /// More days than there are.
    #[error(
        "employee {employee} asks for {asked} days and has {available} available; ask for fewer, or grant more"
    )]
    NotEnough {
        /// Who asks.
        employee: EmployeeNumber,
        /// For how many days.
        asked: u32,
        /// How many there are.
        available: u32,
    },
    /// No days at all, or more than at once.
    #[error("{what} is of 1 to {MAX_GRANT_DAYS} days, not {days}")]
    InvalidDays {
        /// What it would have been.
        what: String,
        /// How many days it would have been of.
        days: u32,
    },
    /// The key was used for something else.
    #[error(
        "request key {0} was used for something else; make a new key for each grant and each request"
    )]
    KeyReused(RequestKey),
    /// The grant was undone, and is not done again.
    #[error("the grant with request key {0} was revoked; grant again with a new key")]
    Revoked(RequestKey),
    /// The days of the grant are spoken for.
    #[error(
        "employee {0} needs these days for what was asked for or taken; they cannot be revoked"
    )]
    InUse(EmployeeNumber),
    /// There is no such request.
    #[error("there is no leave request {0}")]
    NoRequest(RequestId),
    /// The request was decided the other way.
    #[error("leave request {id} is {state} already")]
    Decided {
        /// Which.
        id: RequestId,
        /// How.
        state: RequestState,
    },
    /// What the framework reports.
    #[error(transparent)]
    Status(#[from] Status),
}
