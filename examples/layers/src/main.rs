//! tower's own layers at the two places of a client where they can be. `cargo run -p layers`
//!
//! Around calls, a layer sees each call once, whatever becomes of it. Around attempts, there is one for each instance,
//! and it sees what goes there: retries too, and not what goes elsewhere.
#![expect(clippy::print_stdout, reason = "an example shows its result")]

mod around_attempts;
mod around_calls;
mod office;
mod printer;

use std::time::Duration;

use tokio::time::Instant;

use self::office::Office;

/// What the examples fail with.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let office = Office::open().await?;
    println!("around calls");
    around_calls::timeout(&office).await?;
    around_calls::concurrency_limit(&office).await?;
    around_calls::rate_limit(&office).await?;
    around_calls::load_shed(&office).await?;
    println!("around attempts");
    around_attempts::timeout(&office).await?;
    around_attempts::concurrency_limit(&office).await?;
    around_attempts::rate_limit(&office).await?;
    around_attempts::load_shed(&office).await?;
    office.close().await;
    Ok(())
}

/// Whether something took as long as it had to at least.
fn took(started: Instant, least: Duration) -> &'static str {
    if started.elapsed() >= least {
        "as it should"
    } else {
        "too short a time"
    }
}
