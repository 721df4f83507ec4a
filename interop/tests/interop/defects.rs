//! Defects of doge that the other end of the border no longer has. Their numbers are those of the tests of
//! `tests/doge_defects/`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doge_interop::{Caller, Failure, Meta, Methods as _, MethodsClient, Server, dogerpc};
use doge_rpc::{
    CallOptions, Code,
    client::Client,
    registry::{Registry, Static},
};
use doge_test_support::eventually_async;
use serde_json::json;

use crate::{
    LIMIT,
    ours::{blocking, client, patient, port, serve},
};

/// 11: an unknown method closes the connection without a word, and ten such calls take the node out.
#[tokio::test]
async fn ten_unknown_methods_leave_a_rust_server_in_rotation_for_dogerpc() {
    let server = serve().await;
    let port = port(&server);
    let seen = blocking(move || {
        let mut caller = Caller::dogerpc(&dogerpc::direct(&[port]), &json!({}), "test");
        let errors = [(); 11].map(|()| caller.call("no_such_method", json!([])).unwrap_err());
        (errors, caller.call("sum", json!([1, 2])))
    });
    let (errors, sum) = seen.await;
    for error in errors {
        assert!(
            error.starts_with("RemoteError: service test has no method \"no_such_method\""),
            "{error}"
        );
    }
    assert_eq!(sum, Ok(json!(3)));
}

/// 12: an exception without a text is delivered as success.
#[tokio::test]
async fn an_error_without_a_text_is_an_error_on_both_sides() {
    let server = serve().await;
    let port = port(&server);
    let seen = blocking(move || {
        Caller::dogerpc(&dogerpc::direct(&[port]), &json!({}), "test").call("empty", json!([]))
    });
    assert_eq!(seen.await, Err("RemoteError: Empty".to_owned()));
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let client = client(&server.address());
        let empty = client.empty().await.unwrap_err();
        assert!(
            matches!(&empty, Failure::Status(status) if status.code() == Code::Unknown),
            "{empty:?}"
        );
        // By its text, it is the variant of that name.
        assert_eq!(client.boom().await, Err(Failure::Boom));
    }
}

/// 13: a caller that gives up leaves its answer to the next call on that connection.
#[tokio::test]
async fn a_rust_caller_that_gives_up_leaves_no_answer_of_python_to_the_next() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let client = client(&server.address());
        let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(50)));
        for number in 0..10 {
            let late = hasty.slow(100 + number).await.unwrap_err();
            assert_eq!(late.code(), Code::DeadlineExceeded);
            let dropped = tokio::time::timeout(Duration::from_millis(5), client.slow(200));
            assert!(dropped.await.is_err());
            assert_eq!(client.slow(number).await, Ok(number));
        }
        // Also once the late answers are there.
        assert_eq!(client.slow(300).await, Ok(300));
        for number in 0..40 {
            assert_eq!(client.sum(number, 1).await, Ok(number + 1));
        }
    }
}

/// The same the other way round: the late answer goes nowhere, and the next call has its own.
#[tokio::test]
async fn a_call_of_dogerpc_that_takes_too_long_leaves_no_answer_of_rust_to_the_next() {
    let server = serve().await;
    let port = port(&server);
    let seen = blocking(move || {
        let mut caller = Caller::dogerpc(&dogerpc::direct(&[port]), &json!({}), "test");
        // Both give up after 1 s, so that either may be the first.
        let late = caller.call("slow", json!([1500])).unwrap_err();
        let next = [1, 2, 3, 4].map(|number| caller.call("sum", json!([number, 0])));
        (late, next)
    });
    let (late, next) = seen.await;
    assert!(late.starts_with("RemoteError: "), "{late}");
    assert_eq!(next, [1, 2, 3, 4].map(|number| Ok(json!(number))));
}

/// 14: of twenty slow calls at once, most find none of three connections, and the node is taken for dead.
#[tokio::test]
async fn twenty_slow_calls_at_once_to_one_python_node_are_no_errors() {
    let server = Server::mprpc(Meta::First);
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([server.address()]));
    let cluster = MethodsClient::cluster()
        .registry(&registry)
        .follow()
        .await
        .unwrap();
    let client = MethodsClient::new(cluster.clone()).with(patient());
    let started = Instant::now();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.slow(900).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(900));
    }
    // All at once: one after the other over three connections they took more than 6 s.
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let stats = cluster.stats();
    assert_eq!((stats.ejections, stats.retries), (0, 0));
}

/// What else looks like its death: Python hangs up on an unknown method, which is no failure to try elsewhere.
#[tokio::test]
async fn an_unknown_method_of_python_says_what_that_may_be_and_the_next_call_goes_on() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let untyped = Client::connect(server.address()).unwrap().untyped("test");
        for _ in 0..11 {
            let error = untyped.call::<()>("no_such_method", ()).await.unwrap_err();
            assert_eq!(error.code(), Code::Unavailable);
            assert!(
                error
                    .message()
                    .contains("hung up instead of answering \"no_such_method\""),
                "{error}"
            );
            assert_eq!(untyped.call::<u32>("sum", (1, 2)).await, Ok(3));
        }
    }
}

/// 5: a node that was down for longer than 10 s is never called again.
#[tokio::test]
async fn a_python_node_that_was_down_for_longer_than_10_s_is_called_again_by_rust() {
    let mut python = Server::mprpc(Meta::First);
    let registry: Arc<dyn Registry> = Arc::new(Static::addresses([python.address()]));
    let cluster = MethodsClient::cluster().registry(&registry);
    let client = MethodsClient::new(cluster.follow().await.unwrap()).with(patient());
    assert_eq!(client.count().await, Ok(1));
    python.process.kill();
    let hasty = client.with(CallOptions::new().timeout(Duration::from_millis(100)));
    let down = Instant::now();
    while down.elapsed() < Duration::from_millis(10_500) {
        hasty.sum(1, 2).await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _back = Server::mprpc_at(python.port, Meta::First, &[]);
    eventually_async(LIMIT, "it is called again", async || {
        tokio::time::sleep(Duration::from_millis(50)).await;
        (client.sum(1, 2).await == Ok(3)).then_some(())
    })
    .await;
}
