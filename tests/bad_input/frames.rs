//! Frames that the protocol does not allow.

use std::time::Duration;

use bytes::Bytes;
use doge_rpc::{
    call::{CancelReason, Cancellation},
    connection::Limits,
    protocol::{Fields, Fragment, HEADER_LEN, Hello, Message, Outcome, RouteRef},
};
use tracing::level_filters::LevelFilter;

use crate::{
    Bystander,
    logs::Log,
    peer::{Peer, encode, head, hello, request},
    serve, serve_natively,
};

/// Sends bytes after hello, and checks what the server says before it hangs up.
async fn violates(bytes: &[u8], said: &str) {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let (log, _capturing) = Log::capture(LevelFilter::WARN);
    let mut peer = Peer::greeted(&server).await;
    peer.send_bytes(bytes).await;
    let words = peer.last_words().await;
    assert!(words.contains(said), "{said}: {words:?}");
    log.is_one_line_saying(&["peer=tcp://127.0.0.1:", said]);
    bystander.is_untouched().await;
}

fn header(kind: u8, flags: u8, reserved: u8, length: u32, call: u64) -> Vec<u8> {
    let mut header = vec![0xC1, kind, flags, reserved];
    header.extend(length.to_be_bytes());
    header.extend(call.to_be_bytes());
    header
}

#[tokio::test]
async fn wrong_magic_after_hello() {
    violates(&[0xC0; HEADER_LEN], "first byte is 0xc0").await;
}

#[tokio::test]
async fn unknown_kind() {
    violates(&header(0x20, 0, 0, 0, 1), "unknown frame kind 0x20").await;
}

#[tokio::test]
async fn unknown_flags() {
    violates(&header(0x02, 0x08, 0, 0, 1), "unknown flags 0x08").await;
}

#[tokio::test]
async fn reserved_byte() {
    violates(&header(0x09, 0, 7, 0, 1), "reserved header byte is 0x07").await;
}

#[tokio::test]
async fn oversize_frame_is_refused_by_its_header_alone() {
    violates(
        &header(0x02, 0, 0, u32::MAX, 1),
        "4294967295 bytes is over the limit of 8388608",
    )
    .await;
}

#[tokio::test]
async fn truncated_head() {
    let mut bytes = header(0x02, 0, 0, 3, 1);
    bytes.extend([0, 1, 0]);
    violates(&bytes, "truncated: request head").await;
}

#[tokio::test]
async fn route_that_was_never_named() {
    let call = Message::Request(
        head(RouteRef::Known(3)),
        Fragment::whole(Bytes::from_static(b"\x90")),
    );
    violates(&encode(1, call), "route number 3 is not known").await;
}

#[tokio::test]
async fn duplicate_call_id() {
    let call = encode(5, request("bench", "add", b"\x92\x01\x02"));
    violates(
        &[&call[..], &call[..]].concat(),
        "call id 0x5 is not above the last one",
    )
    .await;
}

#[tokio::test]
async fn call_id_that_goes_back() {
    let first = encode(5, request("bench", "add", b"\x92\x01\x02"));
    let second = encode(4, request("bench", "add", b"\x92\x01\x02"));
    violates(
        &[&first[..], &second[..]].concat(),
        "call id 0x4 is not above the last one",
    )
    .await;
}

#[tokio::test]
async fn lanes_count_by_themselves() {
    let server = serve(Limits::default()).await;
    let mut peer = Peer::greeted(&server).await;
    for call in [7, 1 << 60 | 3, 8, 1 << 60 | 4] {
        peer.call(call, "bench", "add", b"\x92\x01\x02").await;
        let frame = peer.frame().await.unwrap();
        assert_eq!(frame.call, call);
        assert!(matches!(frame.message, Message::Response(..)));
    }
}

fn outcome() -> Outcome {
    Outcome::from_status(&doge_rpc::Status::internal("x"))
}

#[tokio::test]
async fn what_was_not_agreed_in_hello() {
    let pieces = Fragment {
        data: Bytes::new(),
        more: true,
        compressed: false,
    };
    let compressed = Fragment {
        data: Bytes::new(),
        more: false,
        compressed: true,
    };
    let piece = Message::Piece(Fragment::whole(Bytes::new()));
    let route = || match request("bench", "add", b"") {
        Message::Request(head, _) => head,
        _ => unreachable!("a request"),
    };
    let mut stream = route();
    stream.stream = true;
    let mut one_way = route();
    one_way.one_way = true;
    let whole = Fragment::whole(Bytes::new());
    for (message, said) in [
        (
            Message::Request(route(), pieces),
            "a body in pieces was not agreed",
        ),
        (
            Message::Request(route(), compressed),
            "compression was not agreed",
        ),
        (
            Message::Request(stream, whole.clone()),
            "a stream was not agreed",
        ),
        (
            Message::Request(one_way, whole.clone()),
            "a one-way call was not agreed",
        ),
        (piece, "a body in pieces was not agreed"),
        (
            Message::Cancel(Some(Cancellation::bare(CancelReason::HedgeLost))),
            "a reason in a cancel was not agreed",
        ),
        (
            Message::Item(Fields::default(), whole),
            "a stream was not agreed",
        ),
        (Message::End(outcome()), "a stream was not agreed"),
        (Message::Window(1), "a stream was not agreed"),
    ] {
        violates(&encode(1, message), said).await;
    }
}

#[tokio::test]
async fn frames_of_the_other_side() {
    let answer = Message::Response(Default::default(), Fragment::whole(Bytes::new()));
    violates(&encode(1, answer), "an answer from the client").await;
    violates(
        &encode(1, Message::Error(outcome())),
        "an answer from the client",
    )
    .await;
    violates(&encode(0, Message::Hello(hello())), "a second hello").await;
}

#[tokio::test]
async fn something_before_hello() {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "bench", "add", b"\x92\x01\x02").await;
    assert!(peer.last_words().await.contains("a frame before hello"));
    bystander.is_untouched().await;
}

#[tokio::test]
async fn a_version_that_is_not_spoken_here() {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(
        0,
        Message::Hello(Hello {
            min_version: 2,
            max_version: 9,
            ..hello()
        }),
    )
    .await;
    let words = peer.last_words().await;
    assert!(
        words.contains("versions 2 to 9") && words.contains("speaks 1"),
        "{words}"
    );
    bystander.is_untouched().await;
}

#[tokio::test]
async fn optional_kinds_and_cancels_of_nothing_are_skipped() {
    let server = serve(Limits::default()).await;
    let mut peer = Peer::greeted(&server).await;
    peer.send_bytes(&header(0x7F, 0, 0, 0, 9)).await;
    peer.send(99, Message::Cancel(None)).await;
    peer.send(0, Message::Ping(7)).await;
    assert_eq!(peer.frame().await.unwrap().message, Message::Pong(7));
}

/// Sends bytes one by one, as slowly as keeps a careless timer from running out.
async fn drip(peer: &mut Peer, bytes: &[u8]) -> String {
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    for byte in bytes {
        tick.tick().await;
        peer.send_bytes(&[*byte]).await;
    }
    peer.last_words().await
}

#[tokio::test]
async fn slow_loris_before_hello_and_inside_a_frame() {
    // Short enough for the drip of some 40 bytes to take longer, and long enough for honest peers.
    let limits = Limits {
        handshake_timeout: Duration::from_secs(1),
        frame_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let server = serve_natively(limits).await;
    let bystander = Bystander::beside(&server).await;

    let mut silent = Peer::connect(&server).await;
    assert_eq!(silent.last_words().await, "hello took too long");

    let hello = encode(0, Message::Hello(hello()));
    let mut slow = Peer::connect(&server).await;
    assert_eq!(drip(&mut slow, &hello[..30]).await, "hello took too long");

    let call = encode(1, request("bench", "add", b"\x92\x01\x02"));
    let mut slow = Peer::greeted(&server).await;
    assert_eq!(drip(&mut slow, &call[..30]).await, "a frame took too long");
    bystander.is_untouched().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_of_a_frame() {
    let server = serve(Limits::default()).await;
    let bystander = Bystander::beside(&server).await;
    let call = encode(1, request("bench", "add", b"\x92\x01\x02"));
    for end in [1, 15, 20, call.len() - 1] {
        let mut peer = Peer::greeted(&server).await;
        peer.send_bytes(&call[..end]).await;
        assert_eq!(peer.hang_up().await, "", "nobody is there to be told");
        bystander.is_untouched().await;
    }
}
