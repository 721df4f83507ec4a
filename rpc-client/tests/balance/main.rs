//! Each balancer against its definition, with fixed seeds and simulated time.

mod any_policy;
mod consistent_hash;
mod definitions;
mod least_active;
mod peak_ewma;
mod scenarios;
mod shares;
mod simulation;
mod slow_start;
mod subset;
mod support;
mod table;
mod tiers;
