//! Draws `docs/balancing.svg`: shares of calls over time, by the simulation that the tests of the balancers use.
//!
//! ```sh
//! cargo run -p doge-rpc-client --example balancing_plot
//! ```

#[path = "../tests/balance/plot.rs"]
mod plot;
#[allow(dead_code, reason = "the tests measure more")]
#[path = "../tests/balance/simulation.rs"]
mod simulation;

fn main() -> std::io::Result<()> {
    std::fs::write(plot::FILE, plot::draw())
}
