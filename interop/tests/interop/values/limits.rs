//! What one end takes and the other does not: an error of that call, and the next one goes on.

use doge_interop::{Caller, Meta, Methods as _, MethodsClient, Server};
use doge_rpc::Code;
use doge_test_support::free_port;
use rmpv::Value;
use serde_json::json;

use super::{same, start};
use crate::ours::{blocking, client, port, serve};

#[tokio::test]
async fn more_elements_than_we_take_are_an_error_for_python_and_never_leave_for_it() {
    const MOST: usize = 1024 * 1024;
    let server = serve().await;
    let port = port(&server);
    let error = blocking(move || {
        let mut caller = Caller::mprpc(port);
        let error = caller
            .call("length", json!([vec![1; MOST + 1]]))
            .unwrap_err();
        assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
        error
    });
    let error = error.await;
    assert!(error.contains("more than 1048576 elements"), "{error}");

    let python = Server::mprpc(Meta::Absent);
    let client = client(&python.address());
    // The argument is an element of the array of the arguments.
    let fits: Value = vec![Value::from(1); MOST - 1].into();
    assert!(same(&client.echo(fits.clone()).await.unwrap(), &fits));
    let over: Value = vec![Value::from(1); MOST].into();
    let error = client.length(over).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(error.never_ran());
    assert!(
        error.message().contains("more than 1048576 elements"),
        "{error}"
    );
    assert_eq!(client.sum(1, 2).await, Ok(3));
}

#[tokio::test]
async fn messages_over_64_mib_are_an_error_for_python_and_an_error_from_python() {
    const LARGEST: usize = 64 * 1024 * 1024;
    let server = serve().await;
    let port = port(&server);
    let error = blocking(move || {
        let mut caller = Caller::mprpc(port);
        let error = caller
            .call("length", json!(["x".repeat(LARGEST)]))
            .unwrap_err();
        assert_eq!(caller.call("sum", json!([1, 2])), Ok(json!(3)));
        error
    });
    let error = error.await;
    assert!(error.contains(&LARGEST.to_string()), "{error}");

    let python = Server::mprpc(Meta::Absent);
    let client = client(&python.address());
    let error = client.size(LARGEST).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.message().contains(&LARGEST.to_string()), "{error}");
    assert_eq!(client.sum(1, 2).await, Ok(3));
}

/// In Python, a server that serves four connections leaves further ones without an answer until one is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_connections_that_is_smaller_than_ours_fails_no_call() {
    let python = Server::mprpc_at(free_port(), Meta::First, &["--limit-conn", "4"]);
    // Each call has the default time, and one attempt.
    let client = MethodsClient::connect(python.address()).unwrap();
    for millis in [0, 10] {
        let callers: Vec<_> = (0..32)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move {
                    for _ in 0..15 {
                        assert_eq!(client.slow(millis).await, Ok(millis));
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    }
}

/// Python hangs up without a word.
#[tokio::test]
async fn what_python_cannot_decode_is_an_error_of_that_call() {
    for meta in Meta::BOTH {
        let python = Server::mprpc(meta);
        let client = client(&python.address());
        for value in [
            // The extension that is a timestamp.
            Value::Ext(-1, vec![0; 4]),
            Value::Ext(-5, vec![0; 4]),
            // Keys that cannot be hashed.
            Value::Map(vec![(Value::Map(Vec::new()), 1.into())]),
        ] {
            let shown = client.shown(value.clone()).await;
            let error = shown.expect_err(&start(&value));
            assert_eq!(
                error.code(),
                Code::Unavailable,
                "{}: {error}",
                start(&value)
            );
            assert!(error.message().contains("hung up"), "{error}");
            assert_eq!(client.sum(1, 2).await, Ok(3));
        }
    }
}
