//! The services that the peers call.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use doge_rpc::{
    Context, Status,
    msgpack_rpc::Options,
    prelude::*,
    server::{Builder, Running},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Notify, mpsc};

/// What the calculator refuses.
#[derive(Debug, Error, Serialize, Deserialize)]
pub(crate) enum MathError {
    #[error("{0} cannot be divided by zero")]
    DivisionByZero(i64),
    #[error(transparent)]
    Status(#[from] Status),
}

/// An error that has no text of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Silent {
    Nothing { at: u8 },
    Status(Status),
}

impl From<Status> for Silent {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

#[service(name = "test.calculator")]
pub(crate) trait Calculator {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, MathError>;
    async fn div(&self, a: i64, b: i64) -> Result<i64, MathError>;
    async fn silent(&self) -> Result<(), Silent>;
    async fn refuse(&self, code: String) -> Result<(), Status>;
    async fn blob(&self, bytes: Bytes) -> Result<usize, Status>;
    async fn size(&self, bytes: usize) -> Result<String, Status>;
    /// The metadata of the call, as `key=value` lines.
    async fn beside(&self) -> Result<String, Status>;
    async fn left(&self) -> Result<u64, Status>;
    #[rpc(timeout = "50ms")]
    async fn hang(&self) -> Result<(), Status>;
    /// Answers once it is let go.
    #[rpc(timeout = "10s")]
    async fn wait(&self) -> Result<(), Status>;
    async fn panics(&self) -> Result<(), Status>;
    async fn record(&self, of: Record, #[rpc(default)] note: String) -> Result<String, Status>;
    async fn note(&self, text: String) -> Result<(), Status>;
    async fn grow(&self, tree: Tree) -> Result<usize, Status>;
    /// An array of so many elements, within arrays so that there are as many levels in all.
    async fn shape(&self, elements: usize, levels: usize) -> Result<Shape, Status>;
}

/// A value whose elements and levels are told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Shape {
    Leaf(u8),
    Array(Vec<Self>),
}

/// A list in a list in a list.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tree(Vec<Self>);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    name: String,
}

/// Lets go what waits, and tells what was noted.
pub(crate) struct Inside {
    pub(crate) go: Arc<Notify>,
    /// Told when a call of `wait` is over, be it that it was stopped.
    pub(crate) over: Arc<Notify>,
    pub(crate) notes: mpsc::UnboundedReceiver<String>,
}

struct Implementation {
    go: Arc<Notify>,
    over: Arc<Notify>,
    notes: mpsc::UnboundedSender<String>,
}

/// Tells when it is dropped.
struct Telling<'a>(&'a Notify);

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Calculator for Implementation {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, MathError> {
        Ok(a + b)
    }

    async fn div(&self, a: i64, b: i64) -> Result<i64, MathError> {
        a.checked_div(b).ok_or(MathError::DivisionByZero(a))
    }

    async fn silent(&self) -> Result<(), Silent> {
        Err(Silent::Nothing { at: 7 })
    }

    async fn refuse(&self, text: String) -> Result<(), Status> {
        Err(Status::not_found(text))
    }

    async fn blob(&self, bytes: Bytes) -> Result<usize, Status> {
        Ok(bytes.len())
    }

    async fn size(&self, bytes: usize) -> Result<String, Status> {
        Ok("x".repeat(bytes))
    }

    async fn beside(&self) -> Result<String, Status> {
        let context = Context::current().unwrap();
        let lines = context.metadata().iter().map(|(key, value)| {
            let value = String::from_utf8_lossy(value);
            format!("{key}={value}\n")
        });
        Ok(lines.collect())
    }

    async fn left(&self) -> Result<u64, Status> {
        let left = Context::current().unwrap().remaining();
        Ok(u64::try_from(left.as_millis()).unwrap())
    }

    async fn hang(&self) -> Result<(), Status> {
        std::future::pending().await
    }

    async fn wait(&self) -> Result<(), Status> {
        let _over = Telling(&self.over);
        self.notes.send("waits".into()).unwrap();
        self.go.notified().await;
        Ok(())
    }

    async fn panics(&self) -> Result<(), Status> {
        panic!("on purpose")
    }

    async fn record(&self, of: Record, note: String) -> Result<String, Status> {
        Ok(format!("{}:{note}", of.name))
    }

    async fn note(&self, text: String) -> Result<(), Status> {
        self.notes.send(text).unwrap();
        Ok(())
    }

    async fn grow(&self, tree: Tree) -> Result<usize, Status> {
        Ok(tree.0.len())
    }

    async fn shape(&self, elements: usize, levels: usize) -> Result<Shape, Status> {
        let leaves = (0..elements).map(|_| Shape::Leaf(0)).collect();
        let nested = (1..levels).fold(Shape::Array(leaves), |inner, _| Shape::Array(vec![inner]));
        Ok(nested)
    }
}

/// Another service on the same port.
#[service(name = "test.greeter")]
pub(crate) trait Greeter {
    async fn hello(&self, name: String) -> Result<String, Status>;
}

struct Polite;

impl Greeter for Polite {
    async fn hello(&self, name: String) -> Result<String, Status> {
        Ok(format!("Hello, {name}!"))
    }
}

pub(crate) async fn serve() -> Running {
    serve_with(|server| server).await.0
}

pub(crate) async fn serve_options(options: Options) -> Running {
    serve_with(|server| server.msgpack_rpc(options)).await.0
}

pub(crate) async fn serve_with(configure: impl FnOnce(Builder) -> Builder) -> (Running, Inside) {
    let (sender, notes) = mpsc::unbounded_channel();
    let (go, over) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let service = Implementation {
        go: Arc::clone(&go),
        over: Arc::clone(&over),
        notes: sender,
    };
    let server = Server::builder()
        .add(CalculatorServer::new(service))
        .add(GreeterServer::new(Polite))
        .grace(Duration::from_secs(5));
    let server = configure(server).start("tcp://127.0.0.1:0").await.unwrap();
    (server, Inside { go, over, notes })
}
