use serde::{Deserialize, Serialize};

use super::{Employee, Employment};
use crate::identity::EmployeeNumber;

/// Which employees are meant; all of them unless narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Those of one department.
    pub department: Option<String>,
    /// Those who work here, or those who do not any more.
    pub employment: Option<Employment>,
}

/// Some employees, and where the next ones are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// By number.
    pub employees: Vec<Employee>,
    /// What to ask for next; `None` when there are no more.
    pub next: Option<Cursor>,
}

/// A place in a list, as a page names it. It stays good when people come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(EmployeeNumber);

impl Cursor {
    pub(super) fn behind(employee: &Employee) -> Self {
        Self(employee.number)
    }

    pub(super) fn number(self) -> EmployeeNumber {
        self.0
    }
}
