use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{LeaveError, grant::check_days};
use crate::{
    identity::{EmployeeNumber, RequestKey},
    named::named,
};

/// Days to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRequest {
    /// One for each request, kept when the same request is said again.
    pub key: RequestKey,
    /// Who asks.
    pub employee: EmployeeNumber,
    /// How many: 1 to [`MAX_GRANT_DAYS`](super::MAX_GRANT_DAYS).
    pub days: u32,
}

/// Days that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveRequest {
    /// Which.
    pub id: RequestId,
    /// Who asks.
    pub employee: EmployeeNumber,
    /// How many.
    pub days: u32,
    /// What was decided.
    pub state: RequestState,
}

/// Which request, among all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(u32);

named! {
    /// What was decided about a request. It is decided once.
    pub enum RequestState {
        /// Nothing yet.
        Pending = "pending",
        /// The days are taken.
        Approved = "approved",
        /// The days are free again.
        Rejected = "rejected",
    }
}

impl NewRequest {
    /// Checks the number of days.
    ///
    /// # Errors
    ///
    /// [`LeaveError::InvalidDays`] when there are none, or too many.
    pub fn validate(&self) -> Result<(), LeaveError> {
        check_days("a request", self.days)
    }
}

impl RequestId {
    pub(super) fn new(id: u32) -> Self {
        Self(id)
    }

    pub(super) fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for RequestId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for LeaveRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            employee,
            days,
            state,
        } = self;
        write!(f, "request {id}: employee {employee}, {days} days, {state}")
    }
}
