//! The program `hr`, run as a process.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod chaos;
mod database_away;
mod demo;
#[path = "../common/employees.rs"]
#[allow(dead_code, reason = "others use the rest")]
mod employees;
#[cfg(feature = "etcd")]
mod etcd;
mod import;
mod leave;
mod leave_away;
#[path = "../common/people.rs"]
#[allow(dead_code, reason = "others use the rest")]
mod people;
mod process;
mod replicas;
mod serve;
#[path = "../common/sheets.rs"]
mod sheets;
