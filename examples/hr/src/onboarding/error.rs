use doge_rpc::Status;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{employee::EmployeeError, identity::RequestKey, leave::LeaveError};

/// Why there was no onboarding, and what is left of it.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OnboardingError {
    /// The person was not hired; nothing is left.
    #[error("not hired: {0}")]
    NotHired(EmployeeError),
    /// No leave was granted, and the hire was undone; nothing is left.
    #[error("no leave was granted, so the hire was undone: {0}")]
    Undone(LeaveError),
    /// The key was used for another grant, so what stands under it is not of this onboarding and was left alone.
    #[error("nothing was done: {0}")]
    KeyReused(LeaveError),
    /// It failed, and what it had begun could not be undone, or was completed by a repetition meanwhile. Said again,
    /// it comes to its end.
    #[error(
        "{cause}; and it could not be undone: {left}; ask again with request key {key}, \
         which brings it to an end, or withdraw the hire and revoke the grant by hand"
    )]
    NotUndone {
        /// Of the onboarding.
        key: RequestKey,
        /// Why it failed.
        cause: String,
        /// Why it could not be undone.
        left: String,
    },
    /// It has not come to its end in the time of the call, as when a service that it needs is away. It goes on. Said again,
    /// it is completed, or says how it ended.
    #[error("the onboarding with request key {0} goes on; ask again with the same key for its end")]
    GoesOn(RequestKey),
    /// What the framework reports.
    #[error(transparent)]
    Status(#[from] Status),
}
