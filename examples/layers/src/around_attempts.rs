//! `attempt_layer`: below the choice of an instance, one for each.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::try_join_all;
use tokio::time::Instant;
use tower::{
    ServiceBuilder,
    buffer::BufferLayer,
    limit::{ConcurrencyLimitLayer, RateLimitLayer},
    load_shed::LoadShedLayer,
    timeout::TimeoutLayer,
};

use crate::{Office, Result, printer::Printer, took};

/// No attempt takes longer. A payslip may be printed twice, so the call goes on at the other printer.
pub(crate) async fn timeout(office: &Office) -> Result<()> {
    let printers = office
        .printers()
        .attempt_layer(TimeoutLayer::new(Duration::from_millis(500)));
    let client = Office::client(printers).await?;
    client.print(1).await?;
    match client.print(20_000).await {
        Ok(printer) => println!("  timeout: printed {printer}"),
        Err(status) => println!("  timeout: {status}"),
    }
    Ok(())
}

/// No more at once on one printer; further ones wait for it.
pub(crate) async fn concurrency_limit(office: &Office) -> Result<()> {
    let printers = office
        .printers()
        .attempt_layer(ConcurrencyLimitLayer::new(2));
    let client = Office::client(printers).await?;
    office.take_most();
    try_join_all((0..12).map(|_| client.print(20))).await?;
    println!(
        "  concurrency limit: 12 payslips, at most {} at once on a printer",
        office.take_most()
    );
    Ok(())
}

/// No more per time on one printer: two of them take twice as many.
pub(crate) async fn rate_limit(office: &Office) -> Result<()> {
    let limited = ServiceBuilder::new()
        .layer(BufferLayer::new(64))
        .layer(RateLimitLayer::new(5, Duration::from_millis(100)));
    let printers = office.printers().attempt_layer(limited.into_inner());
    let client = Office::client(printers).await?;
    let started = Instant::now();
    try_join_all((0..22).map(|_| client.print(1))).await?;
    println!(
        "  rate limit: 22 payslips at 5 in 100 ms on each of two printers took 200 ms, {}",
        took(started, Duration::from_millis(200))
    );
    Ok(())
}

/// What one printer would make wait goes to the other.
pub(crate) async fn load_shed(office: &Office) -> Result<()> {
    let limited = ServiceBuilder::new()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let printers = office.printers().attempt_layer(limited.into_inner());
    let client = Office::client(printers).await?;
    let printed = try_join_all((0..2).map(|_| client.print(50))).await?;
    let printed: Vec<_> = BTreeSet::from_iter(printed).into_iter().collect();
    println!("  load shed: printed {}", printed.join(" and "));
    Ok(())
}
