//! Bytes that no peer in its right mind sends.

use std::time::Duration;

use doge_rpc::{
    connection::Limits,
    msgpack_rpc::{MsgId, Options},
};

use crate::{
    calculator::{serve, serve_options, serve_with},
    peer::{Peer, request},
};

const NONE: MsgId = MsgId::NONE;

#[tokio::test]
async fn a_value_that_is_no_request_is_answered_and_the_connection_goes_on() {
    let server = serve().await;
    let mut peer = Peer::connect(&server).await;
    let one = MsgId::from(1);
    for (bytes, id, said) in [
        // The first byte tells the dialect, so the first value is an array.
        (&b"\x90"[..], NONE, "no message"),
        (b"\x91\x00", NONE, "a request has four"),
        (b"\xc0", NONE, "no message"),
        (b"\xa5hello", NONE, "no message"),
        (b"\x80", NONE, "no message"),
        (b"\x93\x00\x01\xa3sum", one, "a request has four"),
        (b"\x95\x00\x01\xa3sum\x90\xc0", one, "a request has four"),
        (b"\x94\x00\xc0\xa3sum\x90", NONE, "the id of a request"),
        (b"\x94\x00\xa11\xa3sum\x90", NONE, "the id of a request"),
        (
            b"\x94\x00\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00\xa3sum\x90",
            NONE,
            "the id of a request",
        ),
        (
            b"\x94\x00\x01\xc4\x03\xffum\x92\x01\x02",
            one,
            "the method is a string",
        ),
        (
            b"\x94\x00\x01\xa3\xffum\x92\x01\x02",
            one,
            "the method is a string",
        ),
        (b"\x94\x00\x01\xa3sum\x80", one, "the params are an array"),
        (b"\x94\x03\x01\xa3sum\x90", NONE, "no message"),
        // An extension, and text that is no text.
        (
            b"\x94\x00\x01\xa3sum\x92\xd4\x05\x01\x02",
            one,
            "argument `a`",
        ),
        (
            b"\x94\x00\x01\xa3sum\x92\xc7\x04\xff\x00\x00\x00\x00\x02",
            one,
            "argument `a`",
        ),
        (
            b"\x94\x00\x01\xa6refuse\x91\xa2\xff\xfe",
            one,
            "argument `code`",
        ),
    ] {
        peer.send(bytes).await;
        let (answered, error) = peer.answer::<()>().await;
        assert_eq!(answered, id, "{bytes:02x?}");
        let error = error.unwrap_err();
        assert!(error.contains(said), "{bytes:02x?}: {error}");
    }
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
}

#[tokio::test]
async fn a_notification_is_never_answered_whatever_is_wrong_with_it() {
    let server = serve_options(Options {
        max_message: 2000,
        ..Options::default()
    })
    .await;
    let long = [&b"\x93\x02\xda\x02\x58"[..], &[b'x'; 600], b"\x90"].concat();
    let large = [&b"\x93\x02\xa4note\x91\xc5\x10\x00"[..], &[7; 4096]].concat();
    for notification in [
        // What pynvim 0.6.0 says first: the method is bytes, and the arguments are what they are.
        &b"\x93\x02\xc4\x14nvim_set_client_info\x93\x80\x01\x02"[..],
        b"\x93\x02\xc4\x03sum\x93\x80\x01\x02",
        b"\x93\x02\xc4\x02\xff\xfe\x90",
        b"\x93\x02\xc0\x90",
        b"\x93\x02\x07\x90",
        b"\x93\x02\xa3sum\xc0",
        b"\x93\x02\xa3sum\x80",
        b"\x93\x02\xa3sum\x91\x01",
        b"\x93\x02\xa3sum\x92\xc0\xc0",
        b"\x93\x02\xa6panics\x90",
        b"\x93\x02\xa3nix\x90",
        b"\x92\x02\xa3sum",
        b"\x94\x02\x01\xa3sum\x90",
        b"\x91\x02",
        &long,
        &large,
    ] {
        let mut peer = Peer::connect(&server).await;
        peer.send(notification).await;
        assert_eq!(
            peer.call("sum", &(1, 2)).await,
            Ok(3),
            "{notification:02x?}"
        );
    }
}

#[tokio::test]
async fn a_notification_whose_method_is_bytes_runs() {
    let (server, mut inside) = serve_with(|server| server).await;
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x93\x02\xc4\x04note\x91\xa5hello").await;
    assert_eq!(inside.notes.recv().await.unwrap(), "hello");
    // And so does a call.
    peer.send(b"\x94\x00\x01\xc4\x03sum\x92\x01\x02").await;
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(3)));
}

#[tokio::test]
async fn bombs_get_an_answer_or_end_their_own_connection() {
    let server = serve().await;
    let mut bystander = Peer::connect(&server).await;

    // Four billion elements are announced; that they do not come in time ends it, as any message that does not.
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x94\x00\x01\xa3sum\xdd\xff\xff\xff\xff\x01\x02")
        .await;

    // As deep as a message may be, and deeper than a value.
    let mut deep = request(1, "grow", &[(); 0]);
    deep.pop();
    deep.extend(vec![0x91; 500]);
    deep.push(0xC0);
    let mut nested = Peer::connect(&server).await;
    nested.send(&deep).await;
    let (_, error) = nested.answer::<()>().await;
    assert!(error.unwrap_err().contains("nested deeper than 128"));
    assert_eq!(nested.call("sum", &(1, 2)).await, Ok(3));

    // Deeper than its end is looked for.
    nested.send(&[0x91; 100_000]).await;
    let (id, error) = nested.answer::<()>().await;
    assert_eq!(id, NONE);
    assert!(error.unwrap_err().contains("too deep"));
    assert!(nested.message().await.is_none());

    // What is no MessagePack.
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x94\x00\x01\xc1").await;
    assert_eq!(peer.answer::<()>().await.0, NONE);
    assert!(peer.message().await.is_none());

    // An answer, where only requests may come.
    let mut peer = Peer::connect(&server).await;
    peer.send(b"\x94\x01\x01\xc0\x03").await;
    assert_eq!(peer.answer::<()>().await.0, NONE);
    assert!(peer.message().await.is_none());

    assert_eq!(bystander.call("sum", &(1, 2)).await, Ok(3));
}

#[tokio::test]
async fn a_peer_that_never_reads_its_answers_is_read_no_further_and_ended() {
    let limits = Limits {
        max_unwritten: 256 * 1024,
        write_timeout: Duration::from_millis(300),
        ..Limits::default()
    };
    let (server, _inside) = serve_with(|server| server.limits(limits)).await;
    let mut greedy = Peer::connect(&server).await;
    // Answers of 1 MiB each, none of which is read: the server stops reading calls, and then hangs up.
    greedy
        .send_until_closed(&request(1, "size", &(1 << 20,)))
        .await;
    let mut answers = 0;
    while greedy.message().await.is_some() {
        answers += 1;
    }
    assert!(answers < 100, "{answers} answers were made for nobody");
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
}

/// Answers that wait for an earlier one count as well.
#[tokio::test]
async fn answers_that_wait_for_an_earlier_one_are_bounded_and_leave_in_the_end() {
    let limits = Limits {
        max_unwritten: 1024 * 1024,
        ..Limits::default()
    };
    let (server, mut inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    peer.request(0, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    let many: Vec<u8> = (1..=200)
        .flat_map(|id| request(id, "size", &(100_000,)))
        .collect();
    peer.send(&many).await;
    inside.go.notify_one();
    assert_eq!(peer.answer().await, (MsgId::from(0), Ok(())));
    for id in 1..=200 {
        let (answered, text) = peer.answer::<String>().await;
        assert_eq!((answered, text.unwrap().len()), (MsgId::from(id), 100_000));
    }
}

/// Answers are much larger than the shortest values that want one, of which a read may bring half a million.
#[tokio::test]
async fn no_more_is_answered_than_may_wait_even_of_one_read() {
    let limits = Limits {
        max_unwritten: 16 * 1024,
        ..Limits::default()
    };
    let (server, mut inside) = serve_with(|server| server.limits(limits)).await;
    let mut peer = Peer::connect(&server).await;
    // Makes the reads large.
    let large = "x".repeat(1 << 20);
    peer.call::<usize>("blob", &(large,)).await.unwrap();
    peer.request(1, "wait", &[(); 0]).await;
    assert_eq!(inside.notes.recv().await.unwrap(), "waits");
    const FLOOD: usize = 20_000;
    let mut flood = vec![0x90; FLOOD];
    flood.extend(request(2, "note", &("runs",)));
    peer.send(&flood).await;
    // What must not happen does not announce itself.
    tokio::time::sleep(Duration::from_millis(200)).await;
    inside.notes.try_recv().unwrap_err();
    inside.go.notify_one();
    assert_eq!(peer.answer().await, (MsgId::from(1), Ok(())));
    for _ in 0..FLOOD {
        assert_eq!(peer.answer::<()>().await.0, NONE);
    }
    assert_eq!(peer.answer().await, (MsgId::from(2), Ok(())));
    assert_eq!(inside.notes.recv().await.unwrap(), "runs");
}

#[tokio::test]
async fn a_peer_that_hangs_up_in_the_middle_of_a_message_leaves_nothing_behind() {
    let server = serve().await;
    let bytes = request(1, "sum", &(1, 2));
    for end in 1..bytes.len() {
        let mut peer = Peer::connect(&server).await;
        peer.send(&bytes[..end]).await;
    }
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.call("sum", &(1, 2)).await, Ok(3));
}
