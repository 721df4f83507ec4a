//! The strategies over endpoints that follow a script, on tokio's paused clock: what is attempted where, and when, to
//! the millisecond.

mod broadcast;

mod failover;
mod fake;

mod single;
