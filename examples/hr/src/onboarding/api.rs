use doge_rpc::service;
use serde::{Deserialize, Serialize};

use super::OnboardingError;
use crate::{
    employee::{Employee, Person, Position},
    identity::{EmployeeNumber, RequestKey},
    leave::Balance,
};

/// Newcomers.
#[service(name = "hr.onboarding", version = "1")]
pub trait OnboardingService {
    /// Hires a person and grants the first days of leave: both, or neither. Once begun it comes to its end, whether
    /// or not the caller still waits; a caller whose time is nearly over is told that it goes on.
    ///
    /// Said again with the same key after the answer, in place of one, or beside the first, it completes what is
    /// missing and returns the same; an onboarding that was undone needs a new key.
    // Not declared `idempotent`: it makes many calls, so that repeating it is up to whoever wants the newcomer.
    #[rpc(timeout = "10s")]
    async fn onboard(&self, newcomer: Newcomer) -> Result<Onboarded, OnboardingError>;
}

/// A person to onboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// One for each newcomer, kept when the same onboarding is said again.
    pub key: RequestKey,
    /// The employee number to have; a free one unless given.
    pub number: Option<EmployeeNumber>,
    /// Who it is.
    pub person: Person,
    /// As what.
    pub position: Position,
    /// Days of leave to begin with.
    pub leave_days: u32,
}

/// What an onboarding made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onboarded {
    /// The employee.
    pub employee: Employee,
    /// The days of leave.
    pub leave: Balance,
}
