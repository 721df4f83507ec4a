//! Made-up people.

use hr::{
    employee::{Gender, Hire, MaritalStatus, Person, Position, Record},
    identity::{EmployeeNumber, RequestKey},
    onboarding::Newcomer,
};

pub(crate) fn key(text: &str) -> RequestKey {
    text.parse().unwrap()
}

pub(crate) fn number(number: u32) -> EmployeeNumber {
    number.try_into().unwrap()
}

pub(crate) fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        age: 36,
        gender: Gender::Female,
        marital_status: MaritalStatus::Single,
        education_field: "Mathematics".to_owned(),
    }
}

pub(crate) fn position(department: &str) -> Position {
    Position {
        department: department.to_owned(),
        job_role: "Analyst".to_owned(),
        job_level: 2,
        monthly_income: 5000,
        overtime: false,
    }
}

/// A hire with a key that is the name.
pub(crate) fn hire(name: &str, department: &str) -> Hire {
    Hire {
        key: key(name),
        number: None,
        person: person(name),
        position: position(department),
    }
}

/// A newcomer with a key that is the name.
pub(crate) fn newcomer(name: &str, leave_days: u32) -> Newcomer {
    Newcomer {
        key: key(name),
        number: None,
        person: person(name),
        position: position("Research"),
        leave_days,
    }
}

pub(crate) fn record(of: u32) -> Record {
    Record {
        number: number(of),
        person: person(&format!("Employee {of}")),
        position: position("Research"),
        years_at_company: 3,
        employment: hr::employee::Employment::Active,
    }
}
