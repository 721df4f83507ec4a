//! What hostile, broken and mistaken peers send: each gets a precise status or a closed connection, costs bounded
//! memory, and leaves other connections untouched.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

mod bodies;
mod clients;
mod drains;
mod floods;
mod frames;
#[path = "../common/logs.rs"]
mod logs;
mod peer;
mod strangers;

use doge_rpc::{
    connection::Limits,
    prelude::*,
    server::{Builder, Running},
};
use serde::{Deserialize, Serialize};

/// A list in a list in a list: what a nesting bomb is made for.
#[derive(Debug, Serialize, Deserialize)]
struct Tree(Vec<Self>);

#[service(name = "bench")]
trait Bench {
    async fn add(&self, a: u32, b: u32) -> Result<u32, Status>;
    async fn grow(&self, tree: Tree) -> Result<usize, Status>;
    async fn blob(&self, bytes: usize) -> Result<String, Status>;
    async fn hang(&self) -> Result<(), Status>;
}

struct Implementation;

impl Bench for Implementation {
    async fn add(&self, a: u32, b: u32) -> Result<u32, Status> {
        a.checked_add(b)
            .ok_or_else(|| Status::out_of_range("the sum"))
    }

    async fn grow(&self, tree: Tree) -> Result<usize, Status> {
        Ok(tree.0.len())
    }

    async fn blob(&self, bytes: usize) -> Result<String, Status> {
        Ok("x".repeat(bytes))
    }

    async fn hang(&self) -> Result<(), Status> {
        std::future::pending().await
    }
}

async fn serve(limits: Limits) -> Running {
    start(server(limits)).await
}

/// A server that is for the native protocol only, and expects its hello in time.
async fn serve_natively(limits: Limits) -> Running {
    start(server(limits).without_msgpack_rpc()).await
}

fn server(limits: Limits) -> Builder {
    Server::builder()
        .add(BenchServer::new(Implementation))
        .limits(limits)
}

async fn start(server: Builder) -> Running {
    server.start("tcp://127.0.0.1:0").await.unwrap()
}

/// Somebody else's connection to the same server, which nothing here may touch.
struct Bystander(BenchClient);

impl Bystander {
    async fn beside(server: &Running) -> Self {
        let bystander = Self(BenchClient::connect(server.address()).unwrap());
        bystander.is_untouched().await;
        bystander
    }

    async fn is_untouched(&self) {
        assert_eq!(self.0.add(1, 2).await.unwrap(), 3);
    }
}
