//! What goes over the wire, and what comes of it.

use doge_rpc::{client::MsgpackRpcConfig, prelude::*};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    common::{patient, soon},
    peer::{Calculator, CalculatorClient, Line, Peer, client},
};

#[tokio::test]
async fn a_trait_is_called_with_a_meta_map_where_doge_is_and_without_where_another_is() {
    let peer = Peer::listen().await;
    let doge = CalculatorClient::connect(peer.doge()).unwrap();
    let doge = doge.with(
        patient()
            .metadata("uber-trace-id", "1a2b:3c4d:0:1")
            .unwrap(),
    );
    let call = tokio::spawn(async move { doge.sum(1, 2).await });
    let mut line = peer.accept().await;
    let asked = line.request().await;
    let meta = asked.meta();
    assert_eq!(meta["uber-trace-id"], "1a2b:3c4d:0:1");
    assert_eq!(meta["doge-service"], "calculator");
    let left: u64 = meta["doge-timeout-ms"].parse().unwrap();
    assert!((9_000..=10_000).contains(&left), "{left}");
    assert!(asked.bytes.starts_with(b"\x94\x00\x01\xa3sum\x93\x83"));
    assert!(asked.bytes.ends_with(b"\x01\x02"));
    line.send(b"\x94\x01\x01\xc0\x03").await;
    assert_eq!(soon(call).await.unwrap(), Ok(3));

    let silent = MsgpackRpcConfig {
        framework_keys: false,
        ..MsgpackRpcConfig::default()
    };
    let silent = client(&peer.doge(), silent);
    let call = tokio::spawn(async move { silent.sum(1, 2).await });
    let mut line = peer.accept().await;
    // To the byte as doge calls it.
    let as_doge = b"\x94\x00\x01\xa3sum\x93\x80\x01\x02";
    assert_eq!(line.request().await.bytes, as_doge[..]);
    line.send(b"\x94\x01\x01\xc0\x03").await;
    assert_eq!(soon(call).await.unwrap(), Ok(3));

    let plain = client(&peer.plain(), MsgpackRpcConfig::default());
    let call = tokio::spawn(async move { plain.sum(1, 2).await });
    let mut line = peer.accept().await;
    assert_eq!(
        line.request().await.bytes,
        b"\x94\x00\x01\xa3sum\x92\x01\x02"[..]
    );
    line.send(b"\x94\x01\x01\xc0\x03").await;
    assert_eq!(soon(call).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn a_method_is_called_by_its_name_with_any_arguments() {
    let peer = Peer::listen().await.serve(echo);
    let echo = Client::connect(peer.doge()).unwrap().untyped("echo");
    let echo = echo.with(patient());
    assert_eq!(
        echo.call::<(u8, String)>("echo", (1, "é")).await,
        Ok((1, "é".into()))
    );
    assert_eq!(echo.call::<Vec<()>>("echo", ()).await, Ok(vec![]));
    let large = "x".repeat(3 << 20);
    let echoed = echo.call::<(String,)>("echo", (&large,)).await.unwrap();
    assert!(echoed.0 == large);
    assert_eq!(
        peer.accepted(),
        1,
        "one connection does for one call after the other"
    );
}

/// Answers with the arguments.
async fn echo(mut line: Line) {
    while let Some(asked) = line.next().await {
        let count = asked.params[0] - 0x90;
        let meta = asked.meta();
        assert_eq!(meta.len(), 2, "{meta:?}");
        // The value of the last entry has as many digits as the time has.
        let value = asked
            .params
            .windows(4)
            .position(|it| it == b"t-ms")
            .unwrap()
            + 4;
        let values = value + 1 + usize::from(asked.params[value] - 0xA0);
        let result = [&[0x90 + count - 1], &asked.params[values..]].concat();
        line.answer(asked.id, &result).await;
    }
}

/// An error type as a team has it, of which the text of an error can be a variant.
#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
enum LeaveError {
    #[error("the year is over")]
    YearIsOver,
    #[error(transparent)]
    Status(#[from] Status),
}

#[service(name = "leave")]
trait Leave {
    async fn book(&self, days: u32) -> Result<u32, LeaveError>;
}

#[tokio::test]
async fn an_error_is_a_variant_of_that_name_or_a_status_with_the_text() {
    let errors = [
        &b"\xaaYearIsOver"[..],
        b"\xa4boom",
        b"\xa0",
        b"\xc2",
        b"\x92\x02\xa3bad",
    ];
    let peer = Peer::listen().await.serve(move |mut line| async move {
        for error in errors {
            let asked = line.request().await;
            line.error(asked.id, error).await;
        }
        line.answer_all(b"\x07").await;
    });
    let client = LeaveClient::connect(peer.doge()).unwrap().with(patient());
    assert_eq!(client.book(1).await, Err(LeaveError::YearIsOver));
    // The second to the fourth are what Python takes for no error: an exception without a text, and whatever is false.
    for text in ["boom", "an error without a text", "false", "[2, \"bad\"]"] {
        let error = client.book(1).await.unwrap_err();
        assert_eq!(error, LeaveError::Status(Status::unknown(text)));
    }
    assert_eq!(client.book(1).await, Ok(7), "over the same connection");
    assert_eq!(peer.accepted(), 1);
}

#[tokio::test]
async fn an_untyped_call_has_the_text_as_its_message_and_as_details() {
    let peer = Peer::listen().await.serve(|mut line| async move {
        let asked = line.request().await;
        line.error(asked.id, b"\xa4boom").await;
    });
    let client = Client::connect(peer.doge()).unwrap().with(patient());
    let status = client
        .untyped("x")
        .call::<()>("boom", ())
        .await
        .unwrap_err();
    assert_eq!(
        status,
        Status::unknown("boom").with_details(&b"\xa4boom"[..])
    );
    assert!(!status.never_ran());
}

/// As neovim has its errors. The value is there for those who know it; a type of the caller is not made of it.
#[tokio::test]
async fn an_error_that_is_no_text_has_its_value_as_details() {
    let peer = Peer::listen().await.serve(|mut line| async move {
        while let Some(asked) = line.next().await {
            line.error(asked.id, b"\x92\x01\xa3bad").await;
        }
    });
    let client = Client::connect(peer.doge()).unwrap().with(patient());
    let untyped = client.untyped("x");
    let status = untyped.call::<()>("boom", ()).await.unwrap_err();
    let expected = Status::unknown("[1, \"bad\"]").with_details(&b"\x92\x01\xa3bad"[..]);
    assert_eq!(status, expected);
    let typed = CalculatorClient::connect(peer.doge()).unwrap();
    let status = typed.with(patient()).add(1).await.unwrap_err();
    assert_eq!(status, Status::unknown("[1, \"bad\"]"));
}

#[tokio::test]
async fn an_answer_over_a_limit_of_values_is_refused_and_costs_no_connection() {
    let deep = [&[0x91; 199][..], b"\x90"].concat();
    let many = [&b"\xdd\x00\x10\x00\x01"[..], &vec![0xC0; 0x10_0001]].concat();
    let results = [
        (deep, "nested 200 levels deep, and at most 128"),
        (
            many,
            "1048577 elements in arrays and maps, and at most 1048576",
        ),
    ];
    for (result, why) in results {
        let peer = Peer::listen().await.serve(move |mut line| {
            let result = result.clone();
            async move {
                let asked = line.request().await;
                line.answer(asked.id, &result).await;
                line.answer_all(b"\x03").await;
            }
        });
        let client = client(&peer.doge(), MsgpackRpcConfig::default());
        let status = client.sum(1, 2).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        assert!(!status.never_ran());
        assert!(status.message().contains(why), "{status}");
        assert!(status.message().contains("calculator/sum"), "{status}");
        assert_eq!(client.sum(1, 2).await, Ok(3));
        assert_eq!(peer.accepted(), 1);
    }
}

#[tokio::test]
async fn calls_are_counted_from_one_on_each_connection() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), MsgpackRpcConfig::default());
    let calls = {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..300 {
                client.sum(1, 2).await.unwrap();
            }
        })
    };
    let mut line = peer.accept().await;
    for id in 1..=300 {
        assert_eq!(line.request().await.id, id);
        line.answer(id, b"\x03").await;
    }
    soon(calls).await.unwrap();
    drop(line);
    let call = tokio::spawn(async move { client.sum(1, 2).await });
    let mut line = peer.accept().await;
    assert_eq!(line.request().await.id, 1);
    line.answer(1, b"\x03").await;
    assert_eq!(soon(call).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_type_costs_no_connection() {
    // Python has values that Rust has not asked for, types that only it knows, and text that is none.
    let results = [
        &b"\xa1x"[..],
        b"\xc0",
        b"\xd6\xff\x00\x00\x00\x00",
        b"\xd4\x05\x07",
        b"\xa1\xff",
    ];
    let peer = Peer::listen().await.serve(move |mut line| async move {
        for result in results {
            let asked = line.request().await;
            line.answer(asked.id, result).await;
        }
        line.answer_all(b"\x03").await;
    });
    let client = client(&peer.doge(), MsgpackRpcConfig::default());
    for result in results {
        let status = client.sum(1, 2).await.unwrap_err();
        assert_eq!(status.code(), Code::Internal, "{result:02x?}: {status}");
        assert!(status.message().contains("cannot be read"), "{status}");
    }
    assert_eq!(client.sum(1, 2).await, Ok(3));
    assert_eq!(peer.accepted(), 1);
}
