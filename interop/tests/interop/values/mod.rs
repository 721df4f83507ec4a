//! Values of all types, between Python and Rust in all directions.

mod large;
mod limits;
mod list;
mod recorder;
mod types;

use doge_interop::{Meta, Server};
use doge_rpc::server::Running;
use rmpv::Value;

use crate::ours::{port, serve};

/// A server of either kind, and the addresses by which Rust calls them: that of Python comes first.
async fn of_both_kinds(meta: Meta) -> ((Server, Running), [String; 2]) {
    let (python, ours) = (Server::mprpc(meta), serve().await);
    let address = format!("{}://127.0.0.1:{}", meta.scheme(), port(&ours));
    let addresses = [python.address(), address];
    ((python, ours), addresses)
}

/// Whether two values are written the same; a NaN is not equal to itself.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    bytes(one) == bytes(other)
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value).unwrap();
    bytes
}

/// A value as short as it can be shown in the message of a failure.
fn start(value: &Value) -> String {
    value.to_string().chars().take(100).collect()
}

/// Arrays in each other, the innermost empty.
fn nested(depth: usize) -> Value {
    (1..depth).fold(Value::Array(Vec::new()), |inner, _| {
        Value::Array(vec![inner])
    })
}
