//! The strategies over endpoints that follow a script, on tokio's paused clock: what is attempted where, and when, to
//! the millisecond.

mod at_most_once;
mod backup;
mod broadcast;
mod cost;
mod doge;
mod failover;
mod fake;
mod learning;
mod motan_go;
mod overload;
mod race;
mod reasons;
mod single;
mod turns;
