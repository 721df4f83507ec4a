//! Our client and our server, in the dialect.

use std::time::Duration;

use bytes::Bytes;
use doge_rpc::{client::MsgpackRpcConfig, prelude::*, server::Running};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    common::{patient, soon},
    peer::{at_most, channel},
};

#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
enum Trouble {
    #[error("Tired")]
    Tired,
    #[error("no, {0} times")]
    No(u32),
    #[error(transparent)]
    Status(#[from] Status),
}

#[service(name = "mirror")]
trait Mirror {
    /// Takes so many milliseconds.
    #[rpc(idempotent)]
    async fn late(&self, number: u32, millis: u64) -> Result<u32, Status>;

    async fn tenant(&self) -> Result<Option<String>, Status>;

    async fn left(&self) -> Result<u64, Status>;

    async fn fail(&self, how: u32) -> Result<(), Trouble>;

    async fn bytes(&self, blob: Bytes, name: String) -> Result<(Bytes, String), Status>;
}

struct Mirrored;

impl Mirror for Mirrored {
    async fn late(&self, number: u32, millis: u64) -> Result<u32, Status> {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Ok(number)
    }

    async fn tenant(&self) -> Result<Option<String>, Status> {
        let context = Context::current().unwrap();
        Ok(context.metadata().get_str("tenant").map(String::from))
    }

    async fn left(&self) -> Result<u64, Status> {
        Ok(Context::current().unwrap().remaining().as_millis() as u64)
    }

    async fn fail(&self, how: u32) -> Result<(), Trouble> {
        Err(match how {
            0 => Trouble::Tired,
            1 => Trouble::No(3),
            _ => Status::not_found("nobody").into(),
        })
    }

    async fn bytes(&self, blob: Bytes, name: String) -> Result<(Bytes, String), Status> {
        Ok((blob, name))
    }
}

async fn server() -> Running {
    let server = Server::builder().add(MirrorServer::new(Mirrored));
    server.start("tcp://127.0.0.1:0").await.unwrap()
}

fn client(server: &Running, scheme: &str, config: MsgpackRpcConfig) -> MirrorClient {
    let address = server.address().to_string().replace("tcp", scheme);
    MirrorClient::new(channel(&address, config)).with(patient())
}

#[tokio::test]
async fn values_errors_metadata_and_deadlines_come_through() {
    let server = server().await;
    for scheme in ["doge", "msgpack-rpc"] {
        let client = client(&server, scheme, MsgpackRpcConfig::default());
        assert_eq!(client.late(7, 0).await, Ok(7));
        let large = Bytes::from(vec![7; 1 << 20]);
        let echoed = client.bytes(large.clone(), "é".into()).await.unwrap();
        assert!(echoed == (large, "é".into()));

        // What an error is beside its text gets lost, but for a variant of that name.
        assert_eq!(client.fail(0).await, Err(Trouble::Tired));
        let said = |text: &'static str| Err(Trouble::Status(Status::unknown(text)));
        assert_eq!(client.fail(1).await, said("no, 3 times"));
        assert_eq!(client.fail(2).await, said("nobody"));

        let meta = scheme == "doge";
        let acme = client.with(CallOptions::new().metadata("tenant", "acme").unwrap());
        let tenant = acme.tenant().await.unwrap();
        assert_eq!(tenant.as_deref(), meta.then_some("acme"));
        let hasty = client.with(CallOptions::new().timeout(Duration::from_secs(3)));
        let left = hasty.left().await.unwrap();
        assert_eq!((2_000..=3_000).contains(&left), meta, "{left}");
    }
}

#[tokio::test]
async fn each_of_many_calls_gets_its_own_answer_though_others_are_given_up() {
    let server = server().await;
    let client = client(&server, "doge", at_most(8));
    let mut calls = Vec::new();
    for number in 0..2_000 {
        let client = client.clone();
        calls.push(tokio::spawn(async move {
            match number % 5 {
                // Given up by its caller, and by its deadline: the server answers all the same.
                0 => {
                    let short = Duration::from_millis(u64::from(number % 7));
                    let _ = tokio::time::timeout(short, client.late(number, 3)).await;
                }
                1 => {
                    let short = CallOptions::new().timeout(Duration::from_millis(4));
                    let answer = client.with(short).late(number, 3).await;
                    assert!(answer.is_err() || answer == Ok(number));
                }
                _ => assert_eq!(client.late(number, 1).await, Ok(number)),
            }
        }));
    }
    for call in calls {
        soon(call).await.unwrap();
    }
}
