//! Whether the first param of a call is the meta map or an argument, and what a connection shows about that.

use std::collections::BTreeMap;

use doge_rpc::{
    msgpack_rpc::{MetaMap, MsgId, Options},
    prelude::*,
    server::Running,
};
use serde::{Deserialize, Serialize};

use crate::peer::{Peer, request};

type Map = BTreeMap<String, Value>;

/// What a method takes that leaves the type of its argument open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Text(String),
    Map(Map),
}

#[service(name = "test.directory")]
trait Directory {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status>;
    async fn find(&self, #[rpc(default)] filter: Map) -> Result<Map, Status>;
    async fn echo(&self, value: Value) -> Result<Value, Status>;
    async fn save(&self, value: Map, #[rpc(default)] note: String)
    -> Result<(Map, String), Status>;
    async fn boom(&self) -> Result<(), Status>;
    async fn refuse(&self, text: String) -> Result<(), Status>;
    /// Fails with a value of its own.
    async fn fail(&self, text: String) -> Result<(), Failure>;
}

#[derive(Debug, Serialize, Deserialize)]
enum Failure {
    No(String),
    Status(Status),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

struct Records;

impl Directory for Records {
    async fn sum(&self, a: i64, b: i64) -> Result<i64, Status> {
        Ok(a + b)
    }

    async fn find(&self, filter: Map) -> Result<Map, Status> {
        Ok(filter)
    }

    async fn echo(&self, value: Value) -> Result<Value, Status> {
        Ok(value)
    }

    async fn save(&self, value: Map, note: String) -> Result<(Map, String), Status> {
        Ok((value, note))
    }

    async fn boom(&self) -> Result<(), Status> {
        Ok(())
    }

    async fn refuse(&self, text: String) -> Result<(), Status> {
        Err(Status::not_found(text))
    }

    async fn fail(&self, text: String) -> Result<(), Failure> {
        Err(Failure::No(text))
    }
}

async fn serve() -> Running {
    serve_with(MetaMap::ByArity).await
}

async fn serve_with(meta: MetaMap) -> Running {
    let options = Options {
        meta,
        ..Options::default()
    };
    let server = Server::builder().add(DirectoryServer::new(Records));
    let server = server.msgpack_rpc(options);
    server.start("tcp://127.0.0.1:0").await.unwrap()
}

fn map(entries: &[(&str, &str)]) -> Map {
    let entries = entries.iter();
    entries
        .map(|(key, value)| ((*key).to_owned(), Value::Text((*value).to_owned())))
        .collect()
}

/// What doge's client puts in front while a trace is on.
fn trace() -> Map {
    map(&[("uber-trace-id", "1a2b:3c4d:0:1")])
}

fn ada() -> Map {
    map(&[("name", "Ada")])
}

#[tokio::test]
async fn a_call_whose_first_param_is_no_map_shows_that_the_connection_has_none() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    // sum [1, 2], and then find [{"name": "Ada"}].
    peer.send(b"\x94\x00\x01\xa3sum\x92\x01\x02").await;
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
    peer.send(b"\x94\x00\x02\xa4find\x91\x81\xa4name\xa3Ada")
        .await;
    assert_eq!(peer.answer().await, (MsgId::from(2), Ok(ada())));
    // And so does a call without any params.
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("boom", &[(); 0]).await, Ok(()));
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(ada()));
}

#[tokio::test]
async fn a_call_that_is_an_error_shows_nothing() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    // sum [{}, 1]: doge's client with one argument too few.
    peer.send(b"\x94\x00\x01\xa3sum\x92\x80\x01").await;
    let (id, wrong) = peer.answer::<i64>().await;
    assert_eq!(id, MsgId::from(1));
    wrong.unwrap_err();
    assert_eq!(peer.call("find", &(trace(),)).await, Ok(Map::new()));
    assert_eq!(peer.call("boom", &(Map::new(),)).await, Ok(()));

    // The other way: a call without the map that is wrong is none with it.
    let mut peer = Peer::connect(&server).await;
    let wrong = peer.call::<i64>("sum", &("x", 2)).await;
    wrong.unwrap_err();
    assert_eq!(peer.call("find", &(trace(),)).await, Ok(Map::new()));
    // Nor one that the handler refused, of which nobody knows whether its arguments were meant.
    for method in ["refuse", "fail"] {
        let mut peer = Peer::connect(&server).await;
        peer.call::<()>(method, &("x",)).await.unwrap_err();
        assert_eq!(peer.call("find", &(trace(),)).await, Ok(Map::new()));
    }
}

#[tokio::test]
async fn what_a_call_has_shown_beyond_doubt_is_undone_by_no_weaker_sign() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    // echo [{"a": 1}, 5]: an argument too many, which arity takes for a map in front of 5.
    let value = Value::Map(Map::from([("a".to_owned(), Value::Number(1))]));
    peer.send(b"\x94\x00\x01\xa4echo\x92\x81\xa1a\x01\x05")
        .await;
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(value)));
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(ada()));
    let saved = Ok((ada(), "x".to_owned()));
    assert_eq!(peer.call("save", &(ada(), "x")).await, saved);
}

#[tokio::test]
async fn a_connection_whose_calls_have_a_map_runs_none_that_lacks_an_argument() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(Map::new(), 1, 2)).await, Ok(3));
    // Without what the connection has shown, the trace would be saved.
    for method in ["echo", "save"] {
        let error = peer.call::<Value>(method, &(trace(),)).await.unwrap_err();
        assert!(error.contains("argument `value` is missing"), "{error}");
    }
    let error = peer.call::<i64>("sum", &(trace(), 1)).await.unwrap_err();
    assert!(error.contains("argument `b` is missing"), "{error}");
    let saved = Ok((ada(), String::new()));
    assert_eq!(peer.call("save", &(trace(), ada())).await, saved);
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(Map::new()));
}

/// The map of the first call was an argument too many; that its calls have none shows with the next one.
#[tokio::test]
async fn a_call_without_a_map_outweighs_one_that_seemed_to_have_one() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let five = Ok(Value::Number(5));
    assert_eq!(peer.call("echo", &(ada(), 5)).await, five);
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(ada()));
}

/// What Python refuses as a missing argument is run here where a map is what the method takes; the connection is not
/// taken for one without the map for that.
#[tokio::test]
async fn a_call_that_lacks_its_only_argument_does_not_turn_the_calls_after_it() {
    let server = serve().await;
    for meta in [Map::new(), trace()] {
        let mut peer = Peer::connect(&server).await;
        peer.call::<Value>("echo", &(&meta,)).await.unwrap();
        assert_eq!(peer.call("find", &(trace(),)).await, Ok(Map::new()));
        assert_eq!(peer.call("sum", &(&meta, 1, 2)).await, Ok(3));
        assert_eq!(peer.call("find", &(ada(),)).await, Ok(Map::new()));
    }
}

#[tokio::test]
async fn notifications_and_unknown_methods_are_read_like_calls() {
    let server = serve().await;
    // One that is good shows what the connection has; one that is wrong, and a method that there is not, do not.
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x93\x02\xa3sum\x92\x01\x02").await;
    // What it shows counts once it is over.
    peer.call::<()>("nix", &(trace(),)).await.unwrap_err();
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(ada()));

    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x93\x02\xa3sum\x92\xa1x\x02").await;
    peer.send(b"\x93\x02\xa3nix\x92\x01\x02").await;
    peer.call::<()>("nix", &(1, 2)).await.unwrap_err();
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(Map::new()));
}

/// Answers show what a connection has once they are there, in whatever order.
#[tokio::test]
async fn calls_that_are_sent_ahead_are_read_like_those_that_wait() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let all = [
        request(1, "sum", &(Map::new(), 1, 2)),
        request(2, "sum", &(3, 4)),
        request(3, "echo", &(ada(), 5)),
    ];
    peer.send(&all.concat()).await;
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
    assert_eq!(peer.answer().await, (MsgId::from(2), Ok(7)));
    peer.answer::<Value>().await.1.unwrap();
    // The second one leaves no doubt, whichever came last.
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(ada()));
}

#[tokio::test]
async fn options_leave_nothing_to_find_out() {
    let always = serve_with(MetaMap::Always).await;
    let mut peer = Peer::connect(&always).await;
    assert_eq!(peer.call("boom", &[(); 0]).await, Ok(()));
    assert_eq!(peer.call("find", &(ada(),)).await, Ok(Map::new()));
    let never = serve_with(MetaMap::Never).await;
    let mut peer = Peer::connect(&never).await;
    let wrong = peer.call::<i64>("sum", &(trace(), 1, 2)).await;
    wrong.unwrap_err();
    assert_eq!(peer.call("find", &(trace(),)).await, Ok(trace()));
}
