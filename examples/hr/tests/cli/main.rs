//! The program `hr`, run as a process.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod demo;
mod import;
mod leave;
mod process;
mod serve;
#[path = "../common/sheets.rs"]
mod sheets;
