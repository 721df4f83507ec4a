//! The cast.

use crate::{
    employee::{Gender, MaritalStatus, Person, Position},
    identity::RequestKey,
    onboarding::Newcomer,
};

/// The department that everybody in the demo starts in.
pub(super) const DEPARTMENT: &str = "Research & Development";

pub(super) fn newcomer(name: &str, age: u8, leave_days: u32) -> Newcomer {
    Newcomer {
        key: RequestKey::random(),
        number: None,
        person: Person {
            name: name.to_owned(),
            age,
            gender: Gender::Other,
            marital_status: MaritalStatus::Single,
            education_field: "Life Sciences".to_owned(),
        },
        position: Position {
            department: DEPARTMENT.to_owned(),
            job_role: "Research Scientist".to_owned(),
            job_level: 2,
            monthly_income: 5000,
            overtime: false,
        },
        leave_days,
    }
}
