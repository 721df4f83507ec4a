use serde::{Deserialize, Serialize};

use super::LeaveError;
use crate::identity::{EmployeeNumber, RequestKey};

/// The most days that one grant can be of.
pub const MAX_GRANT_DAYS: u32 = 60;

/// Days to entitle an employee to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// One for each grant, kept when the same grant is said again.
    pub key: RequestKey,
    /// Whom.
    pub employee: EmployeeNumber,
    /// How many: 1 to [`MAX_GRANT_DAYS`].
    pub days: u32,
}

impl Grant {
    /// Checks the number of days.
    ///
    /// # Errors
    ///
    /// [`LeaveError::InvalidDays`] when there are none, or too many.
    pub fn validate(&self) -> Result<(), LeaveError> {
        check_days("a grant", self.days)
    }
}

pub(super) fn check_days(what: &str, days: u32) -> Result<(), LeaveError> {
    if (1..=MAX_GRANT_DAYS).contains(&days) {
        return Ok(());
    }
    Err(LeaveError::InvalidDays {
        what: what.to_owned(),
        days,
    })
}
