//! The registries as their users see them.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod common;
mod file;
mod file_processes;
mod file_refusals;
mod fixed;
mod memory;
mod open;
mod several;
mod several_trouble;
