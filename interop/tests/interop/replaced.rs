//! A Python client whose server was replaced by one of ours: what it sees that is not as before.

use doge_interop::{Caller, Meta, Server, dogerpc, scenario};
use serde_json::{Value, json};

use crate::ours::{blocking, port, serve};

/// The cases of a scenario in which ours is not what Python's is: what the client sees of each, Python's first.
async fn differences(name: &'static str, meta: Meta) -> Vec<(String, Value, Value)> {
    let ours = serve().await;
    let port = port(&ours);
    let (before, after) = blocking(move || {
        let python = Server::mprpc(meta);
        let before = scenario(name, python.port, meta, &[]);
        (before, scenario(name, port, meta, &[]))
    })
    .await;
    assert_eq!(before.len(), after.len());
    let pairs = before.into_iter().zip(after);
    pairs
        .filter(|(before, after)| before != after)
        .map(|(mut before, mut after)| {
            let case = before["case"].as_str().unwrap().to_owned();
            assert_eq!(after["case"], case);
            for outcome in [&mut before, &mut after] {
                outcome.as_object_mut().unwrap().remove("case");
            }
            (case, before, after)
        })
        .collect()
}

#[tokio::test]
async fn values_and_timeouts_and_a_pool_are_as_before() {
    for meta in Meta::BOTH {
        for name in ["values", "timeout", "pool"] {
            assert_eq!(differences(name, meta).await, []);
        }
    }
}

#[tokio::test]
async fn of_large_values_only_what_nests_too_deep_is_not_as_before() {
    for meta in Meta::BOTH {
        let error = "RPCError: test/echo: argument `value`: nested deeper than 128";
        assert_eq!(
            differences("large", meta).await,
            [(
                "arrays 500 deep".to_owned(),
                json!({"same": true}),
                json!({"error": error})
            )]
        );
    }
}

#[tokio::test]
async fn errors_are_as_before_but_for_those_that_are_better() {
    let has = |what: &str| {
        let methods = "echo, sum, boom, empty, slow, size, length, shown, count, meta";
        json!({"error": format!("RPCError: service test has no method \"{what}\"; it has {methods}")})
    };
    for meta in Meta::BOTH {
        let too_few = "argument `b` is missing";
        let expected = [
            // An exception without a text passed for success.
            (
                "a method that fails without a text",
                json!({"result": null}),
                json!({"error": "RPCError: Empty"}),
            ),
            // An error of other words.
            (
                "too few arguments",
                json!({"error": "RPCError: Methods.sum() missing 1 required positional argument: 'b'"}),
                json!({"error": format!("RPCError: test/sum: {too_few}")}),
            ),
            // What a newer caller has to say besides is not looked at.
            (
                "too many arguments",
                json!({"error": "RPCError: Methods.sum() takes 3 positional arguments but 4 were given"}),
                json!({"result": 3}),
            ),
            // An error of other words.
            (
                "an argument of another type",
                json!({"error": "RPCError: can only concatenate str (not \"int\") to str"}),
                json!({"error": "RPCError: test/sum: argument `a`: a text came where another type is expected"}),
            ),
            // The connection was closed.
            (
                "an unknown method",
                json!({"error": "OSError: Connection closed"}),
                has("no_such_method"),
            ),
            (
                "a hidden method",
                json!({"error": "OSError: Connection closed"}),
                has("_hidden"),
            ),
        ];
        let expected = expected.map(|(case, before, after)| (case.to_owned(), before, after));
        assert_eq!(differences("errors", meta).await, expected);
    }
}

/// What the published dogerpc sees of a server.
fn seen_by_dogerpc(port: u16) -> Vec<(&'static str, Result<Value, String>)> {
    let mut caller = Caller::dogerpc(&dogerpc::direct(&[port]), &json!({}), "test");
    let calls = [
        ("sum", json!([1, 2])),
        ("echo", json!([null])),
        ("echo", json!([[1, -1, 1.5, "h\u{e9}", {"a": [true, {}]}]])),
        ("size", json!([3])),
        ("length", json!(["h\u{e9}"])),
        ("length", json!([{"a": 1, "b": 2}])),
        ("count", json!([])),
        ("count", json!([])),
        ("boom", json!([])),
        ("slow", json!([300])),
        // Longer than its patience, which is 1 s as is that of our server.
        ("slow", json!([1100])),
        ("empty", json!([])),
        ("no_such_method", json!([])),
        ("sum", json!([1, 2])),
    ];
    calls
        .into_iter()
        .map(|(method, arguments)| (method, caller.call(method, arguments)))
        .collect()
}

#[tokio::test]
async fn the_published_dogerpc_sees_the_same_but_for_what_is_better() {
    let ours = serve().await;
    let port = port(&ours);
    let (before, after) = blocking(move || {
        let python = Server::dogerpc(&dogerpc::direct(&[]), "test", "n1");
        (seen_by_dogerpc(python.port), seen_by_dogerpc(port))
    })
    .await;
    let pairs = before.into_iter().zip(after);
    let mut differing = pairs.filter(|(before, after)| before != after);
    let mut next = || {
        let ((method, before), (_, after)) = differing.next().unwrap();
        (method, before, after.unwrap_err())
    };
    let wordless = Err("RemoteError: socket error or bad method".to_owned());
    // Which of the two gives up first is open; it is an error either way.
    let (mut method, mut before, mut after) = next();
    if method == "slow" {
        assert_eq!(before, wordless);
        assert!(
            after.contains("was stopped: the deadline passed"),
            "{after}"
        );
        (method, before, after) = next();
    }
    assert_eq!(
        (method, before, after.as_str()),
        ("empty", Ok(Value::Null), "RemoteError: Empty")
    );
    let (method, before, after) = next();
    assert_eq!((method, before), ("no_such_method", wordless));
    assert!(
        after.contains("has no method \"no_such_method\""),
        "{after}"
    );
    assert_eq!(differing.next(), None);
}
