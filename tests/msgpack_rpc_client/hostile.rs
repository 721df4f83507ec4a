//! Servers that say what they should not.

use std::time::Duration;

use bytes::Bytes;
use doge_rpc::{client::MsgpackRpcConfig, prelude::*};

use crate::{
    common::soon,
    peer::{Calculator, Peer, at_most, client, hasty},
};

/// What a call comes to when it is answered with these bytes; that the connection is closed after it, and the next call
/// does well on another.
async fn answered_with(bytes: &[u8]) -> Status {
    let peer = Peer::listen().await;
    let config = MsgpackRpcConfig {
        max_message: 64 * 1024,
        ..at_most(1)
    };
    let client = client(&peer.doge(), config);
    let call = {
        let client = client.clone();
        tokio::spawn(async move { client.sum(1, 2).await })
    };
    let mut line = peer.accept().await;
    line.request().await;
    line.send(bytes).await;
    let status = soon(call).await.unwrap().unwrap_err();
    line.until_closed().await;

    let next = tokio::spawn(async move { client.sum(1, 2).await });
    let mut line = peer.accept().await;
    let asked = line.request().await;
    line.answer(asked.id, b"\x03").await;
    assert_eq!(soon(next).await.unwrap(), Ok(3));
    status
}

#[tokio::test]
async fn whatever_is_no_answer_may_have_run_and_ends_the_connection() {
    let deep = [&b"\x94\x01\x01\xc0"[..], &[0x91; 5000]].concat();
    for (bytes, why) in [
        (&b"\x94\x01\x02\xc0\x03"[..], "to another request"),
        (
            b"\x94\x01\xff\xb0Invalid protocol\xc0",
            "to another request",
        ),
        (b"\x93\x01\x01\xc0", "an answer has four elements"),
        (b"\x94\x01\xc0\xc0\x03", "the id of an answer is an integer"),
        (b"\x94\x00\x01\xa1m\x90", "a request came"),
        (b"\xc0", "no message of MessagePack-RPC"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "no message of MessagePack-RPC",
        ),
        (b"\xc1\x00\x00\x00", "no value begins with 0xc1"),
        (&deep, "nests too deep"),
    ] {
        let status = answered_with(bytes).await;
        assert_eq!(status.code(), Code::Unavailable, "{bytes:02x?}");
        assert!(!status.never_ran());
        assert!(status.message().contains(why), "{status}");
        assert!(status.message().contains("doge://127.0.0.1:"), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_before_it_is_there() {
    let there = [&b"\x94\x01\x01\xc0\xc6\x00\x02\x00\x00"[..], &[7; 0x20000]].concat();
    for bytes in [
        &there,
        // Four billion bytes, and four billion elements: announced, and nothing of them there.
        &b"\x94\x01\x01\xc0\xc6\xff\xff\xff\xff"[..],
        &[
            &b"\x94\x01\x01\xc0\xdd\xff\xff\xff\xff"[..],
            &[0xC0; 70_000],
        ]
        .concat(),
        &b"\x94\x01\x01\xdb\xff\xff\xff\xff"[..],
    ] {
        let status = answered_with(bytes).await;
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
        assert!(!status.never_ran());
        assert!(
            status.message().contains("larger than the 65536 bytes"),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_leaves_open_whether_the_call_ran() {
    for before in [&b""[..], b"\x94\x01\x01", b"\x94\x01\x01\xc0\xda\x01\x00xy"] {
        let peer = Peer::listen().await;
        let client = client(&peer.doge(), at_most(1));
        let call = tokio::spawn(async move { client.add(1).await });
        let mut line = peer.accept().await;
        line.request().await;
        line.send(before).await;
        drop(line);
        let status = soon(call).await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        assert!(!status.never_ran());
        for reason in [
            "hung up",
            "\"add\"",
            "no such method",
            "underscore",
            "has ended",
        ] {
            assert!(status.message().contains(reason), "{status}");
        }
        assert!(peer.has_no_more().await, "it was not made again");
    }
}

#[tokio::test]
async fn an_answer_may_come_in_pieces_and_in_any_width() {
    let peer = Peer::listen().await;
    let client = client(&peer.doge(), at_most(1));
    let call = tokio::spawn(async move { client.sum(1, 2).await });
    let mut line = peer.accept().await;
    line.request().await;
    let wide = b"\xdd\x00\x00\x00\x04\xcc\x01\xcf\x00\x00\x00\x00\x00\x00\x00\x01\xc0\xd3\x00\x00\x00\x00\x00\x00\x00\x03";
    for byte in wide {
        line.send(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(soon(call).await.unwrap(), Ok(3));
}

#[tokio::test]
async fn a_server_that_does_not_read_holds_a_call_up_to_its_deadline() {
    let peer = Peer::listen().await;
    let client = Client::from(crate::peer::channel(&peer.doge(), at_most(1)));
    let large = Bytes::from(vec![7; 32 << 20]);
    let untyped = client.untyped("calculator").with(hasty());
    let call = tokio::spawn(async move { untyped.call::<()>("keep", (large,)).await });
    let line = peer.accept().await;
    let status = tokio::time::timeout(Duration::from_secs(5), call).await;
    let status = status.unwrap().unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(!status.never_ran());
    drop(line);
}
