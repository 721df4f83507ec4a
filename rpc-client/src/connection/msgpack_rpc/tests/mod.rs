//! The pool over pipes, where tokio's paused clock applies.

mod deadlines;
mod fairness;
mod idleness;
mod peer;
