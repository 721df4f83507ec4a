//! The contexts and the onboarding over them, each by its trait.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod employee;
mod employee_database;
mod employee_list;
#[path = "../common/employees.rs"]
#[allow(dead_code, reason = "others use the rest")]
mod employees;
mod fakes;
mod import;
mod leave;
mod leave_at_once;
mod onboarding;
#[path = "../common/people.rs"]
mod people;
#[path = "../common/sheets.rs"]
mod sheets;
