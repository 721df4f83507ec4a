//! Application errors are values: typed on both ends, never retried.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use doge_rpc::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, thiserror::Error, Serialize, Deserialize)]
enum AccountError {
    #[error("no account {id}")]
    NotFound { id: u64 },
    #[error("{missing} short")]
    Short { missing: u32, tags: Vec<String> },
    #[error("closed")]
    Closed,
    #[error(transparent)]
    Status(#[from] Status),
}

#[service(name = "account")]
trait Account {
    #[rpc(idempotent)]
    async fn draw(&self, id: u64) -> Result<u32, AccountError>;
}

#[derive(Clone, Default)]
struct Bank(Arc<AtomicUsize>);

impl Account for Bank {
    async fn draw(&self, id: u64) -> Result<u32, AccountError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(match id {
            0 => AccountError::NotFound { id },
            1 => AccountError::Short {
                missing: 7,
                tags: vec!["a".into(), "b".into()],
            },
            2 => AccountError::Closed,
            _ => Status::unavailable("the vault").rejected().into(),
        })
    }
}

#[tokio::test]
async fn an_error_arrives_as_the_same_value_and_ran_once() {
    let bank = Bank::default();
    let server = Server::builder()
        .add(AccountServer::new(bank.clone()))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let remote = AccountClient::connect(server.address()).unwrap();
    let local = AccountClient::local(bank.clone());
    for id in 0..3 {
        let direct = bank.draw(id).await;
        assert_eq!(remote.draw(id).await, direct);
        assert_eq!(local.draw(id).await, direct);
    }
    assert_eq!(bank.0.load(Ordering::SeqCst), 9, "nothing was tried again");
}

#[tokio::test]
async fn a_status_inside_an_error_is_a_value_too_and_says_nothing_about_this_call() {
    let bank = Bank::default();
    let server = Server::builder()
        .add(AccountServer::new(bank.clone()))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = AccountClient::connect(server.address()).unwrap();

    let Err(AccountError::Status(status)) = client.draw(3).await else {
        panic!("a status")
    };
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "the vault")
    );
    assert!(!status.never_ran(), "an inner call never ran; this one has");
    assert_eq!(bank.0.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_the_framework_reports_comes_as_the_status_variant() {
    let nobody = AccountClient::connect("memory://nobody-listens-here").unwrap();
    let Err(AccountError::Status(status)) = nobody.draw(0).await else {
        panic!("a status")
    };
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.never_ran());
}

#[service(name = "plain")]
trait Plain {
    async fn fail(&self) -> Result<(), Status>;
}

struct Fails;

impl Plain for Fails {
    async fn fail(&self) -> Result<(), Status> {
        // An empty message is an error like any other: doge delivers it as success.
        Err(Status::failed_precondition("")
            .with_details(&b"\x01\x02"[..])
            .rejected())
    }
}

#[tokio::test]
async fn a_plain_status_arrives_with_its_code_message_and_details() {
    let server = Server::builder()
        .add(PlainServer::new(Fails))
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = PlainClient::connect(server.address()).unwrap();
    let status = client.fail().await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "");
    assert_eq!(&status.details()[..], b"\x01\x02");
    assert!(
        !status.never_ran(),
        "a handler that answers has run, whatever it says"
    );
}
