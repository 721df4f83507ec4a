//! A replica of the ledger, to be killed.

use std::{error::Error, io::Write as _, path::PathBuf};

use clap::Parser;
use doge_faults::{LedgerServer, Replica};
use doge_rpc::{prelude::*, registry, server::StopSignal};

#[derive(Parser)]
struct Arguments {
    /// Where it registers.
    #[arg(long)]
    registry: String,
    /// Where it listens.
    #[arg(long, default_value = "tcp://127.0.0.1:0")]
    address: String,
    /// What it writes calls into.
    #[arg(long)]
    journal: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let mut stop = StopSignal::listen()?;
    let registry = registry::open(&arguments.registry)?;
    let server = Server::builder()
        .add(LedgerServer::new(Replica::open(&arguments.journal)?))
        .registry(&registry)
        .start(arguments.address)
        .await?;
    writeln!(std::io::stdout(), "ready {}", server.address())?;
    server.until_signal(&mut stop).await?;
    Ok(())
}
