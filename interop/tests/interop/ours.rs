//! Servers of ours, and clients of whatever server.

use doge_interop::{MethodsServer, Ours};
use doge_rpc::{
    CallOptions,
    server::{Running, Server},
};

use crate::LIMIT;

/// A server of ours that serves what the Python ones do, in this process.
pub(crate) async fn serve() -> Running {
    let server = Server::builder().add(MethodsServer::new(Ours::default()));
    server.start("tcp://127.0.0.1:0").await.unwrap()
}

/// The port of it.
pub(crate) fn port(server: &Running) -> u16 {
    let address = server.address().to_string();
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Such a server as a process, at this port.
#[cfg(feature = "python")]
pub(crate) fn start_at(port: u16) -> doge_test_support::Process {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ours"));
    let mut process = doge_test_support::Process::start(command.arg(port.to_string()));
    process.line(LIMIT, |line| line == format!("ready {port}"));
    process
}

/// Calls that have far more time than they take.
pub(crate) fn patient() -> CallOptions {
    CallOptions::new().timeout(LIMIT)
}

/// A client of the server at an address, with such calls.
#[cfg(feature = "python")]
pub(crate) fn client(address: &str) -> doge_interop::MethodsClient {
    doge_interop::MethodsClient::connect(address)
        .unwrap()
        .with(patient())
}

/// Runs what blocks, such as peers that are waited for, while servers in this process go on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}
