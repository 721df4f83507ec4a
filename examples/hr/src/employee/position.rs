use serde::{Deserialize, Serialize};

use super::{EmployeeError, person::text};

/// What somebody does here, and for how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The department.
    pub department: String,
    /// The role in it.
    pub job_role: String,
    /// Seniority, 1 to 20.
    pub job_level: u8,
    /// Gross, in whole units of the company's currency.
    pub monthly_income: u32,
    /// Whether overtime is worked.
    pub overtime: bool,
}

impl Position {
    /// Checks each field.
    ///
    /// # Errors
    ///
    /// [`EmployeeError::Invalid`] for the first one that cannot be so.
    pub fn validate(&self) -> Result<(), EmployeeError> {
        text("department", &self.department)?;
        text("job role", &self.job_role)?;
        if !(1..=20).contains(&self.job_level) {
            return Err(EmployeeError::invalid(
                "job level",
                "1 to 20",
                self.job_level,
            ));
        }
        Ok(())
    }
}
