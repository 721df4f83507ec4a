//! Each balancer against its definition, with fixed seeds and simulated time.

mod any_policy;
mod consistent_hash;
mod least_active;
mod peak_ewma;
mod shares;
mod slow_start;
mod subset;
mod support;
mod tiers;
