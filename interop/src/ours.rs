//! A server of ours that serves what the Python ones do.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use doge_rpc::{Context, prelude::*};
use rmpv::Value;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the servers serve, in Python and here.
#[service(name = "test")]
pub trait Methods {
    /// The value itself.
    #[rpc(idempotent, timeout = "30s")]
    async fn echo(&self, value: Value) -> Result<Value, Status>;

    /// Both together.
    #[rpc(idempotent)]
    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status>;

    /// Fails with "boom".
    async fn boom(&self) -> Result<(), Failure>;

    /// Fails without a text.
    async fn empty(&self) -> Result<(), Failure>;

    /// The number, after so many milliseconds.
    #[rpc(idempotent)]
    async fn slow(&self, ms: u64) -> Result<u64, Status>;

    /// So many bytes.
    #[rpc(idempotent, timeout = "30s")]
    async fn size(&self, count: usize) -> Result<Bytes, Status>;

    /// Of a text in characters, of anything else in bytes or elements.
    #[rpc(idempotent, timeout = "30s")]
    async fn length(&self, value: Value) -> Result<usize, Status>;

    /// The value as those write it who serve it.
    #[rpc(idempotent)]
    async fn shown(&self, value: Value) -> Result<String, Status>;

    /// How often this was called.
    async fn count(&self) -> Result<u64, Status>;

    /// The metadata of the call.
    #[rpc(idempotent)]
    async fn meta(&self) -> Result<BTreeMap<String, String>, Status>;
}

/// How a method fails.
#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
pub enum Failure {
    /// By name what Python says when it raises it.
    #[error("boom")]
    #[serde(rename = "boom")]
    Boom,
    /// An error that says nothing.
    #[error("")]
    Empty,
    /// Not by itself.
    #[error(transparent)]
    Status(#[from] Status),
}

/// Serves them.
#[derive(Debug, Default)]
pub struct Ours {
    counted: AtomicU64,
}

impl Methods for Ours {
    async fn echo(&self, value: Value) -> Result<Value, Status> {
        Ok(value)
    }

    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status> {
        Ok(a + b)
    }

    async fn boom(&self) -> Result<(), Failure> {
        Err(Failure::Boom)
    }

    async fn empty(&self) -> Result<(), Failure> {
        Err(Failure::Empty)
    }

    async fn slow(&self, ms: u64) -> Result<u64, Status> {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(ms)
    }

    async fn size(&self, count: usize) -> Result<Bytes, Status> {
        Ok(vec![0; count].into())
    }

    async fn length(&self, value: Value) -> Result<usize, Status> {
        Ok(match &value {
            Value::String(text) => text.as_str().map_or(0, |text| text.chars().count()),
            Value::Binary(bytes) => bytes.len(),
            Value::Array(values) => values.len(),
            Value::Map(entries) => entries.len(),
            _ => return Err(Status::invalid_argument(format!("{value} has no length"))),
        })
    }

    async fn shown(&self, value: Value) -> Result<String, Status> {
        Ok(value.to_string())
    }

    async fn count(&self) -> Result<u64, Status> {
        Ok(self.counted.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn meta(&self) -> Result<BTreeMap<String, String>, Status> {
        let context = Context::current().ok_or_else(|| Status::internal("not in a call"))?;
        let entries = context.metadata().iter();
        let text = |value| String::from_utf8_lossy(value).into_owned();
        Ok(entries
            .map(|(key, value)| (key.to_owned(), text(value)))
            .collect())
    }
}
