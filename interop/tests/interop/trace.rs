//! What travels beside a call, across the border between Python and Rust.

use std::collections::BTreeMap;

use doge_interop::{Caller, Meta, Methods as _, MethodsClient, Server};
use doge_rpc::{CallOptions, Context, Status, service};
use serde_json::json;

use crate::ours::{blocking, client, port};

type Metadata = BTreeMap<String, String>;

/// Calls a server further on.
#[service(name = "relay")]
trait Relay {
    /// What came beside the call here, and what comes beside that further on.
    async fn meta_here_and_there(&self) -> Result<(Metadata, Metadata), Status>;
}

struct Calling(MethodsClient);

impl Relay for Calling {
    async fn meta_here_and_there(&self) -> Result<(Metadata, Metadata), Status> {
        let context = Context::current().unwrap();
        let here = context.metadata().iter().map(|(key, value)| {
            let value = String::from_utf8_lossy(value).into_owned();
            (key.to_owned(), value)
        });
        Ok((here.collect(), self.0.meta().await?))
    }
}

const TRACE: &str = "1a2b:3c4d:0:1";

#[tokio::test]
async fn a_trace_goes_from_python_through_rust_to_python() {
    let python = Server::mprpc(Meta::First);
    let server =
        doge_rpc::Server::builder().add(RelayServer::new(Calling(client(&python.address()))));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let port = port(&server);
    let meta = json!({"uber-trace-id": TRACE, "uberctx-tenant": "acme", "attempts": 2});
    let seen =
        blocking(move || Caller::mprpc(port).call("meta_here_and_there", json!([meta]))).await;
    let seen = seen.unwrap();
    let passed_on = json!({"uber-trace-id": TRACE, "uberctx-tenant": "acme", "attempts": "2"});
    assert_eq!(seen[0], passed_on);
    let mut there = seen[1].clone();
    // The service and the time that was left go as well.
    let keys = there.as_object_mut().unwrap();
    assert_eq!(keys.remove("doge-service"), Some(json!("test")));
    let left = keys.remove("doge-timeout-ms").unwrap();
    let left: u64 = left.as_str().unwrap().parse().unwrap();
    assert!((1..=1000).contains(&left), "{left}");
    assert_eq!(there, passed_on);
}

#[tokio::test]
async fn metadata_of_a_rust_client_arrives_in_python_where_there_is_a_meta_map() {
    let python = Server::mprpc(Meta::First);
    let traced = CallOptions::new().metadata("uber-trace-id", TRACE).unwrap();
    let client = client(&python.address()).with(traced);
    let mut meta = client.meta().await.unwrap();
    assert_eq!(meta.remove("doge-service").as_deref(), Some("test"));
    let left: u64 = meta.remove("doge-timeout-ms").unwrap().parse().unwrap();
    assert!((1..=30_000).contains(&left), "{left}");
    assert_eq!(
        meta,
        BTreeMap::from([("uber-trace-id".into(), TRACE.into())])
    );
    // Where there is none, a call goes without.
    let plain = Server::mprpc(Meta::Absent);
    let traced = CallOptions::new().metadata("uber-trace-id", TRACE).unwrap();
    let client = crate::ours::client(&plain.address()).with(traced);
    assert_eq!(client.shown(7.into()).await.as_deref(), Ok("7"));
}
