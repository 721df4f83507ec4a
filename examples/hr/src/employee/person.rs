use serde::{Deserialize, Serialize};

use super::EmployeeError;
use crate::named::named;

const LONGEST_TEXT: usize = 200;

/// Who somebody is, apart from the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// As to be written on a door.
    pub name: String,
    /// Years, 14 to 120.
    pub age: u8,
    /// As stated.
    pub gender: Gender,
    /// As stated.
    pub marital_status: MaritalStatus,
    /// What the person learnt.
    pub education_field: String,
}

named! {
    /// Gender, as a person states it.
    pub enum Gender {
        /// Female.
        Female = "Female",
        /// Male.
        Male = "Male",
        /// Neither, or not stated.
        Other = "Other",
    }
}

named! {
    /// Marital status.
    pub enum MaritalStatus {
        /// Never married.
        Single = "Single",
        /// Married.
        Married = "Married",
        /// Was married.
        Divorced = "Divorced",
        /// Was married.
        Widowed = "Widowed",
    }
}

impl Person {
    /// Checks each field.
    ///
    /// # Errors
    ///
    /// [`EmployeeError::Invalid`] for the first one that cannot be so.
    pub fn validate(&self) -> Result<(), EmployeeError> {
        text("name", &self.name)?;
        text("education field", &self.education_field)?;
        if !(14..=120).contains(&self.age) {
            return Err(EmployeeError::invalid("age", "14 to 120", self.age));
        }
        Ok(())
    }
}

/// A text that says something, and not too much.
pub(super) fn text(field: &str, text: &str) -> Result<(), EmployeeError> {
    if text.trim().is_empty() {
        return Err(EmployeeError::invalid(field, "a text", "empty"));
    }
    let length = text.chars().count();
    if length > LONGEST_TEXT {
        let found = format!("{length}");
        let expected = format!("at most {LONGEST_TEXT} characters");
        return Err(EmployeeError::invalid(field, &expected, found));
    }
    Ok(())
}
