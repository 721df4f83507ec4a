use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::EmployeeNumber;

/// How the account of an employee stands, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Whose.
    pub employee: EmployeeNumber,
    /// Granted, all in all.
    pub entitled: u32,
    /// Approved.
    pub taken: u32,
    /// Asked for, and not decided.
    pub pending: u32,
    /// What can still be asked for.
    pub available: u32,
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            employee,
            entitled,
            taken,
            pending,
            available,
        } = self;
        write!(
            f,
            "employee {employee}: {available} days available ({entitled} entitled, {taken} taken, {pending} pending)"
        )
    }
}
