use serde::{Deserialize, Serialize};

use super::{Person, Position};
use crate::{identity::EmployeeNumber, named::named};

/// A person on file: the aggregate root of this context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    /// Who is meant, everywhere.
    pub number: EmployeeNumber,
    /// Who that is.
    pub person: Person,
    /// What he or she does.
    pub position: Position,
    /// Full years, as of the hire or the import.
    pub years_at_company: u8,
    /// Whether he or she still does it.
    pub employment: Employment,
    /// 1 when hired or imported, one more with each change.
    pub revision: u32,
}

named! {
    /// Whether somebody works here. Who does not any more stays on file.
    pub enum Employment {
        /// Works here.
        Active = "active",
        /// Worked here.
        Terminated = "terminated",
    }
}
