//! `call_layer`: above limits, retries and the choice of an instance.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;
use tower::{
    ServiceBuilder,
    buffer::BufferLayer,
    limit::{ConcurrencyLimitLayer, RateLimitLayer},
    load_shed::LoadShedLayer,
    timeout::TimeoutLayer,
};

use crate::{Office, Result, printer::Printer, took};

/// No call takes longer, all its attempts together.
pub(crate) async fn timeout(office: &Office) -> Result<()> {
    let printers = office
        .printers()
        .call_layer(TimeoutLayer::new(Duration::from_millis(500)));
    let client = Office::client(printers).await?;
    client.print(1).await?;
    let jammed = client.print(20_000).await;
    println!("  timeout: {}", text(jammed.err()));
    Ok(())
}

/// No more calls at once, whichever printers they go to; further ones wait.
pub(crate) async fn concurrency_limit(office: &Office) -> Result<()> {
    let printers = office.printers().call_layer(ConcurrencyLimitLayer::new(1));
    let client = Office::client(printers).await?;
    let started = Instant::now();
    try_join_all((0..4).map(|_| client.print(20))).await?;
    println!(
        "  concurrency limit: 4 payslips of 20 ms one by one took 80 ms, {}",
        took(started, Duration::from_millis(80))
    );
    Ok(())
}

/// No more calls per time; further ones wait. A rate limit cannot be cloned, so it is behind a buffer, which can.
pub(crate) async fn rate_limit(office: &Office) -> Result<()> {
    let limited = ServiceBuilder::new()
        .layer(BufferLayer::new(64))
        .layer(RateLimitLayer::new(5, Duration::from_millis(100)));
    let printers = office.printers().call_layer(limited.into_inner());
    let client = Office::client(printers).await?;
    let started = Instant::now();
    try_join_all((0..11).map(|_| client.print(1))).await?;
    println!(
        "  rate limit: 11 payslips at 5 in 100 ms took 200 ms, {}",
        took(started, Duration::from_millis(200))
    );
    Ok(())
}

/// What would have to wait is refused instead.
pub(crate) async fn load_shed(office: &Office) -> Result<()> {
    let limited = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let printers = office.printers().call_layer(limited.into_inner());
    let client = Office::client(printers).await?;
    let answers = join_all((0..2).map(|_| client.print(50))).await;
    let refused = answers.into_iter().find_map(std::result::Result::err);
    println!("  load shed: {}", text(refused));
    Ok(())
}

fn text(status: Option<doge_rpc::Status>) -> String {
    status.map_or_else(|| "nothing was refused".into(), |status| status.to_string())
}
