//! Each balancer against its definition, with fixed seeds and simulated time.

mod any_policy;
mod consistent_hash;
mod definitions;
mod least_active;
mod peak_ewma;
mod plot;
mod scenarios;
mod shares;
mod simulation;
mod slow_start;
mod subset;
mod support;
mod table;
mod tiers;

#[test]
fn the_picture_in_the_documentation_is_what_the_simulation_draws() {
    let committed = std::fs::read_to_string(plot::FILE).unwrap_or_default();
    assert!(
        committed == plot::draw(),
        "docs/balancing.svg is of another state: cargo run -p doge-rpc-client --example balancing_plot"
    );
}
