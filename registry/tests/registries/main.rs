//! The registries as their users see them.

mod common;
mod file;
mod file_processes;
mod file_refusals;
mod fixed;
mod memory;
mod open;
