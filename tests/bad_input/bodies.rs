//! Arguments that are not what the method takes.

use doge_rpc::{Code, connection::Limits, prelude::*};

use crate::{Bystander, peer::Peer, serve};

/// Calls with a raw body; the connection must live on.
async fn refused(method: &str, body: &[u8], said: &str) -> Status {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::greeted(&server).await;
    peer.call(1, "bench", method, body).await;
    let status = peer.status(1).await;
    assert!(status.message().contains(said), "{said}: {status}");
    assert!(status.never_ran(), "{status:?}");
    peer.call(2, "bench", "add", b"\x92\x01\x02").await;
    assert_eq!(peer.frame().await.unwrap().call, 2);
    bystander.is_untouched().await;
    status
}

#[tokio::test]
async fn wrong_argument_types_are_named() {
    let status = refused("add", b"\x92\xa1x\x02", "bench/add: argument `a`: ").await;
    assert_eq!(status.code(), Code::InvalidArgument);
    refused("add", b"\x92\x01\xff", "bench/add: argument `b`: ").await;
}

#[tokio::test]
async fn missing_arguments_are_named() {
    let status = refused("add", b"\x91\x01", "bench/add: argument `b` is missing").await;
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn arguments_that_are_no_array() {
    for body in [&b""[..], b"\xc0", b"\x81\xa1a\x01", b"\xc1\xc1\xc1"] {
        refused("add", body, "not a MessagePack array").await;
    }
}

#[tokio::test]
async fn truncated_arguments() {
    for body in [&b"\x92\x01\xce\x00"[..], b"\x92\x01\xd9\x05ab"] {
        refused("add", body, "argument `b`").await;
    }
    let missing = b"\x92\x01";
    refused(
        "add",
        missing,
        "2 elements are announced where 1 bytes are left",
    )
    .await;
}

#[tokio::test]
async fn unknown_service_and_method_say_what_there_is() {
    let status = refused("subtract", b"\x92\x01\x02", "it has add, grow, blob, hang").await;
    assert_eq!(status.code(), Code::Unimplemented);

    let server = serve(Limits::default()).await;
    let mut peer = Peer::greeted(&server).await;
    peer.call(1, "nobody", "add", b"\x90").await;
    let status = peer.status(1).await;
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(
        status.message(),
        "no service \"nobody\" here; this server has bench"
    );
    assert!(status.never_ran());
}

#[tokio::test]
async fn a_bomb_of_counts_is_refused_before_anything_is_allocated_for_it() {
    let four_billion = b"\x91\xdd\xff\xff\xff\xff";
    refused(
        "grow",
        four_billion,
        "4294967295 elements are announced where 0 bytes are left",
    )
    .await;
    let in_a_map = b"\x91\x91\xdf\x7f\xff\xff\xff\x01\x02";
    refused("grow", in_a_map, "elements are announced").await;
    let mut many = b"\x91\xdd\x00\x20\x00\x00".to_vec();
    many.resize(many.len() + 0x20_0000, 0x90);
    refused("grow", &many, "more than 1048576 elements").await;
}

#[tokio::test]
async fn a_bomb_of_nesting_costs_no_stack() {
    // Each level a list of one.
    refused(
        "grow",
        &vec![0x91; 4_000],
        "argument `tree`: nested deeper than 128",
    )
    .await;
    refused("grow", &vec![0x91; 4 << 20], "nested deeper than 128").await;
    let mut wide = b"\xdc\x00\x01".repeat(100_000);
    wide.push(0x90);
    refused("grow", &wide, "nested deeper than 128").await;
}

#[tokio::test]
async fn an_answer_over_the_callers_limit_is_a_status() {
    let server = serve(Limits::default()).await;
    let mut peer = Peer::connect(&server).await;
    let small = doge_rpc::protocol::Hello {
        max_frame: 4096,
        ..crate::peer::hello()
    };
    peer.send(0, doge_rpc::protocol::Message::Hello(small))
        .await;
    peer.frame().await.unwrap();
    peer.call(1, "bench", "blob", b"\x91\xcd\x20\x00").await;
    let status = peer.status(1).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(
        status.message().contains("over the limit of 4096"),
        "{status}"
    );
    assert!(!status.never_ran());
}
