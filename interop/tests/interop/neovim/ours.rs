//! Neovim at one end, and Rust at the other.

use doge_interop::{Caller, Server};
use doge_rpc::{
    Code, Status,
    client::{Client, Untyped},
    prelude::*,
};
use rmpv::Value;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    LIMIT,
    ours::{blocking, patient, port, serve},
};

fn client(server: &Server) -> Untyped {
    Client::connect(server.address())
        .unwrap()
        .untyped("nvim")
        .with(patient())
}

#[tokio::test]
async fn neovim_is_called_by_names_alone() {
    let server = Server::neovim();
    let client = client(&server);
    assert_eq!(client.call::<i64>("nvim_eval", ("1 + 2",)).await, Ok(3));
    let value = Value::Array(vec![
        1.5.into(),
        Value::Nil,
        "h\u{e9}".into(),
        Value::Map(vec![("a".into(), Value::Array(vec![true.into()]))]),
    ]);
    client
        .call::<()>("nvim_set_var", ("value", &value))
        .await
        .unwrap();
    let back = client.call::<Value>("nvim_get_var", ("value",)).await;
    assert_eq!(back, Ok(value));
    // What neovim calls a buffer is an extension.
    let buffer = client.call::<Value>("nvim_get_current_buf", ()).await;
    assert!(matches!(buffer, Ok(Value::Ext(0, _))), "{buffer:?}");
    let lua = "local text, count = ... return text:rep(count)";
    let long = client
        .call::<String>("nvim_exec_lua", (lua, ("x", 1 << 20)))
        .await;
    assert_eq!(long.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn its_errors_which_are_arrays_can_be_read() {
    let server = Server::neovim();
    let client = client(&server);
    let wrong = client.call::<i64>("nvim_eval", ("1 +",)).await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unknown);
    assert!(wrong.message().contains("E15"), "{wrong}");
    let unknown = client.call::<()>("nvim_no_such", ()).await.unwrap_err();
    assert_eq!(unknown.code(), Code::Unknown);
    assert!(unknown.message().contains("nvim_no_such"), "{unknown}");
    assert_eq!(client.call::<i64>("nvim_eval", ("1 + 2",)).await, Ok(3));
}

#[tokio::test]
async fn many_calls_at_once_each_get_their_own_answer() {
    let server = Server::neovim();
    let client = client(&server);
    let calls: Vec<_> = (0..500)
        .map(|number| {
            let client = client.clone();
            let sum = format!("{number} + 1");
            tokio::spawn(async move { client.call::<i64>("nvim_eval", (sum,)).await })
        })
        .collect();
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), Ok(number as i64 + 1));
    }
}

#[tokio::test]
async fn neovim_is_a_client_of_ours() {
    let server = serve().await;
    let mut caller = Caller::neovim(port(&server));
    blocking(move || {
        assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
        let value = json!([1.5, null, "h\u{e9}", {"a": [true]}]);
        assert_eq!(caller.call("echo", json!([value])), Ok(value));
        assert_eq!(caller.call("boom", json!([])), Err("boom".to_owned()));
        assert_eq!(caller.call("empty", json!([])), Err("Empty".to_owned()));
        let unknown = caller.call("no_such_method", json!([])).unwrap_err();
        assert!(unknown.contains("has no method"), "{unknown}");
        assert_eq!(caller.call("test/sum", json!([1, 2])), Ok(json!(3)));
    })
    .await;
}

#[tokio::test]
async fn a_neovim_that_sends_a_meta_map_is_understood() {
    let server = serve().await;
    let mut caller = Caller::neovim(port(&server));
    blocking(move || {
        // Without a call before that has shown that there is none: then the arity tells.
        let seen = caller.call("meta", json!([{"uber-trace-id": "1:2:0:1"}]));
        assert_eq!(seen, Ok(json!({"uber-trace-id": "1:2:0:1"})));
        let sum = caller.call("sum", json!([{"uber-trace-id": "1:2:0:1"}, 1, 2]));
        assert_eq!(sum, Ok(json!(3)));
    })
    .await;
}

#[service(name = "notes")]
trait Notes {
    async fn note(&self, text: String) -> Result<(), Status>;
}

struct Noting(mpsc::UnboundedSender<String>);

impl Notes for Noting {
    async fn note(&self, text: String) -> Result<(), Status> {
        self.0.send(text).unwrap();
        Err(Status::unknown("which nobody is told"))
    }
}

#[tokio::test]
async fn a_notification_of_neovim_runs_and_has_no_answer() {
    let (sender, mut notes) = mpsc::unbounded_channel();
    let server = doge_rpc::Server::builder().add(NotesServer::new(Noting(sender)));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let mut caller = Caller::neovim(port(&server));
    let answer = blocking(move || {
        caller.tell("note", json!(["one"]));
        caller.tell("no_such_method", json!([]));
        caller.tell("note", json!(["two"]));
        // An answer that nobody asked for would be an error of neovim's.
        let answer = caller.call("note", json!(["three"]));
        (answer, caller)
    });
    let (answer, caller) = answer.await;
    assert_eq!(answer, Err("which nobody is told".to_owned()));
    let mut noted = Vec::new();
    for _ in 0..3 {
        noted.push(
            tokio::time::timeout(LIMIT, notes.recv())
                .await
                .unwrap()
                .unwrap(),
        );
    }
    noted.sort();
    assert_eq!(noted, ["one", "three", "two"]);
    drop(caller);
}
