//! A server of ours as a process, to be killed or asked to stop; says `ready PORT` once it listens.

use std::{error::Error, io::Write as _, time::Duration};

use doge_interop::{MethodsServer, Ours};
use doge_rpc::{prelude::*, server::StopSignal};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("which port?")?.parse()?;
    let mut stop = StopSignal::listen()?;
    let server = Server::builder()
        .add(MethodsServer::new(Ours::default()))
        // Peers that go on calling it are told by nobody that it ends.
        .grace(Duration::from_secs(3));
    let server = server.start(format!("tcp://127.0.0.1:{port}")).await?;
    writeln!(std::io::stdout(), "ready {port}")?;
    server.until_signal(&mut stop).await?;
    Ok(())
}
