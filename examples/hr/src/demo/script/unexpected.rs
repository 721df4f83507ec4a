use thiserror::Error;

use crate::{employee::EmployeeError, leave::LeaveError, onboarding::OnboardingError};

/// A step that did not go as it should.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Unexpected(String);

impl Unexpected {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// Goes on if what has to be so is so, and says what is so instead otherwise.
pub(super) fn check(is_so: bool, instead: impl FnOnce() -> String) -> Result<(), Unexpected> {
    match is_so {
        true => Ok(()),
        false => Err(Unexpected(instead())),
    }
}

impl From<EmployeeError> for Unexpected {
    fn from(error: EmployeeError) -> Self {
        Self(error.to_string())
    }
}

impl From<LeaveError> for Unexpected {
    fn from(error: LeaveError) -> Self {
        Self(error.to_string())
    }
}

impl From<OnboardingError> for Unexpected {
    fn from(error: OnboardingError) -> Self {
        Self(error.to_string())
    }
}
