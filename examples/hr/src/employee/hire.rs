use serde::{Deserialize, Serialize};

use super::{EmployeeError, Employment, Person, Position, person::text};
use crate::identity::{EmployeeNumber, RequestKey};

/// A person to hire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hire {
    /// One for each person to hire, kept when the same hire is said again.
    pub key: RequestKey,
    /// The number to have; a free one unless given.
    pub number: Option<EmployeeNumber>,
    /// Who it is.
    pub person: Person,
    /// As what.
    pub position: Position,
}

/// A person as another system has him or her on file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The number there, and here.
    pub number: EmployeeNumber,
    /// Who it is.
    pub person: Person,
    /// As what, now or last.
    pub position: Position,
    /// Full years.
    pub years_at_company: u8,
    /// Whether the person still works here.
    pub employment: Employment,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// People who were not there before.
    pub imported: u32,
    /// People whose number was there before, and who were left as they were.
    pub already_there: u32,
}

/// Where an employee goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The department.
    pub department: String,
    /// The role in it.
    pub job_role: String,
}

impl Hire {
    /// Checks each field.
    ///
    /// # Errors
    ///
    /// [`EmployeeError::Invalid`] for the first one that cannot be so.
    pub fn validate(&self) -> Result<(), EmployeeError> {
        self.person.validate()?;
        self.position.validate()
    }
}

impl Record {
    /// Checks each field.
    ///
    /// # Errors
    ///
    /// [`EmployeeError::Invalid`] for the first one that cannot be so.
    pub fn validate(&self) -> Result<(), EmployeeError> {
        self.person.validate()?;
        self.position.validate()?;
        if self.years_at_company > self.person.age {
            let expected = format!("no more than the age of {}", self.person.age);
            let found = self.years_at_company;
            return Err(EmployeeError::invalid("years at company", &expected, found));
        }
        Ok(())
    }
}

impl Transfer {
    /// Checks each field.
    ///
    /// # Errors
    ///
    /// [`EmployeeError::Invalid`] for the first one that cannot be so.
    pub fn validate(&self) -> Result<(), EmployeeError> {
        text("department", &self.department)?;
        text("job role", &self.job_role)
    }
}
