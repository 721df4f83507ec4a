//! Whatever bytes come, in whatever pieces: no panic, no allocation beyond the limit, and the same frames as if
//! they had come at once.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use std::{
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use doge_rpc_core::{
    Code, Deadline, Status,
    call::{Peer, Request, Response, Route},
    connection::{
        Batch, ClientConnection, HasOutbox, Limits, Outbox, ServerConnection, ServerEvent,
        Serving as _,
    },
    observe::RefusalReason,
    protocol::{Codec, Frame, Message, Violation},
    wire,
};
use proptest::prelude::*;
use tokio::time::Instant;

/// Bytes that look like frames often enough to get past the header.
fn frame_like() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![1..=12_u8, any::<u8>()];
    let payload = proptest::collection::vec(any::<u8>(), 0..80);
    (kind, any::<u8>(), any::<u8>(), payload, any::<i8>()).prop_map(
        |(kind, flags, call, payload, lie)| {
            let flags = flags & 0x77;
            let length = u32::try_from(payload.len())
                .unwrap()
                .saturating_add_signed(i32::from(lie / 64));
            let mut bytes = vec![0xC1, kind, flags, 0];
            bytes.extend(length.to_be_bytes());
            bytes.extend([0, 0, 0, 0, 0, 0, 0, call]);
            bytes.extend(payload);
            bytes
        },
    )
}

fn decode_all(bytes: &[u8]) -> (Vec<Frame>, Option<Violation>) {
    let (codec, mut buffer, mut frames) = (Codec::default(), BytesMut::from(bytes), Vec::new());
    loop {
        match codec.next(&mut buffer) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, None),
            Err(violation) => return (frames, Some(violation)),
        }
    }
}

/// A server's machine that has seen a client's hello.
fn open_server(now: Instant) -> ServerConnection<(), ()> {
    let mut server = ServerConnection::new(Limits::default(), now);
    let mut client = ClientConnection::new(Limits::default(), now);
    for frame in drain(client.outbox()) {
        server.receive(frame, now, |_| ()).unwrap();
    }
    server
}

/// Takes all frames out of an outbox, as a writer does.
fn drain(outbox: &mut Outbox) -> Vec<Frame> {
    let (mut batch, mut bytes) = (Batch::default(), Vec::new());
    outbox.claim();
    while outbox.take(&mut batch) {
        while !batch.is_empty() {
            let mut cx = Context::from_waker(Waker::noop());
            let Poll::Ready(written) = batch.poll_write(&mut bytes, &mut cx) else {
                panic!("a Vec takes all")
            };
            outbox.wrote(written.unwrap());
        }
    }
    let (frames, violation) = decode_all(&bytes);
    assert_eq!(violation, None);
    frames
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode_all(&bytes);
    }

    #[test]
    fn what_decodes_encodes_to_what_decodes_to_the_same(bytes in frame_like()) {
        for frame in decode_all(&bytes).0 {
            let mut encoded = BytesMut::new();
            frame.encode(&mut encoded, u32::MAX).unwrap();
            prop_assert_eq!(decode_all(&encoded), (vec![frame], None));
        }
    }

    #[test]
    fn pieces_make_no_difference(frames in proptest::collection::vec(frame_like(), 0..5), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let bytes = frames.concat();
        let whole = decode_all(&bytes);
        let mut ends: Vec<_> = cuts.iter().filter(|_| !bytes.is_empty()).map(|cut| cut.index(bytes.len())).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let (codec, mut buffer, mut seen, mut start) = (Codec::default(), BytesMut::new(), Vec::new(), 0);
        let mut violation = None;
        'reads: for end in ends {
            buffer.extend_from_slice(&bytes[start..end]);
            start = end;
            loop {
                match codec.next(&mut buffer) {
                    Ok(Some(frame)) => seen.push(frame),
                    Ok(None) => break,
                    Err(error) => { violation = Some(error); break 'reads; }
                }
            }
        }
        prop_assert_eq!(seen, whole.0);
        prop_assert_eq!(violation.is_some(), whole.1.is_some());
    }

    #[test]
    fn no_frames_panic_a_server(frames in proptest::collection::vec(frame_like(), 0..20)) {
        let now = Instant::now();
        let mut server = open_server(now);
        for (step, frame) in (0..).zip(decode_all(&frames.concat()).0) {
            let now = now + Duration::from_millis(step);
            match server.receive(frame, now, |_| ()) {
                Ok(ServerEvent::Call(call)) if step % 2 == 0 => server.run(call.id, call.deadline, ()),
                Ok(ServerEvent::Call(call)) => {
                    server.answer(call.id, &Err(Status::internal("x")));
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        let _ = server.tick(now + Duration::from_secs(3600));
        drain(server.outbox());
    }

    #[test]
    fn no_frames_panic_a_client(frames in proptest::collection::vec(frame_like(), 0..20)) {
        let now = Instant::now();
        let mut client = ClientConnection::new(Limits::default(), now);
        let mut wakers = Vec::new();
        for frame in decode_all(&frames.concat()).0 {
            if client.receive(frame, now, &mut wakers).is_err() {
                break;
            }
        }
        client.tick(now + Duration::from_secs(3600), &mut wakers);
        client.lose(&Status::unavailable("x"), &mut wakers);
    }

    #[test]
    fn no_body_panics_a_reader(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = wire::decode::<Vec<Vec<String>>>(&body);
        let _ = wire::decode::<std::collections::BTreeMap<String, (u8, Option<f64>)>>(&body);
        let request = Request::new(Route::named("a", "b").unwrap(), Bytes::from(body), Deadline::after(Duration::ZERO));
        if let Ok(mut arguments) = request.arguments() {
            let _ = arguments.take::<u64>("first");
            let _ = arguments.take_or_else::<Vec<i8>>("second", Vec::new);
        }
        let _ = request.with_peer(Peer::in_process());
    }
}

#[test]
fn a_header_alone_reserves_no_memory_for_its_payload() {
    let mut buffer =
        BytesMut::from(&[0xC1, 2, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1][..]);
    assert_eq!(Codec::default().next(&mut buffer), Ok(None));
    assert!(
        buffer.capacity() < 1024,
        "{} bytes for a header",
        buffer.capacity()
    );
}

#[test]
fn answers_nobody_reads_choke_the_connection_at_the_limit() {
    let now = Instant::now();
    let mut server = open_server(now);
    drain(server.outbox());
    let answer = Response::from_result(Bytes::from(vec![0; 1 << 20]));
    let mut answers = 0;
    while !server.is_choked() {
        server.answer(1, &Ok(answer.clone()));
        answers += 1;
    }
    assert_eq!(answers, 8);
    drain(server.outbox());
    assert!(!server.is_choked());
}

#[test]
fn one_call_has_one_completion() {
    let now = Instant::now();
    let (mut client, mut server) = (
        ClientConnection::new(Limits::default(), now),
        open_server(now),
    );
    let (mut wakers, mut cx) = (Vec::new(), Context::from_waker(Waker::noop()));
    for frame in drain(server.outbox()) {
        client.receive(frame, now, &mut wakers).unwrap();
    }
    let deadline = Deadline::new(now, Duration::from_secs(1));
    let request = Request::new(
        Route::named("a", "b").unwrap(),
        Bytes::from_static(b"\x90"),
        deadline,
    );
    let first = client.start(&request, now, Waker::noop()).unwrap();
    assert!(client.poll_answer(first, &mut cx).is_pending());

    // The deadline passes, and the answer comes after it, twice.
    client.tick(now + Duration::from_secs(2), &mut wakers);
    let answer = |server: &mut ServerConnection<(), ()>, call| {
        server.answer(
            call,
            &Ok(Response::from_result(Bytes::from_static(b"\x01"))),
        );
        drain(server.outbox()).remove(0)
    };
    for _ in 0..2 {
        client
            .receive(answer(&mut server, first), now, &mut wakers)
            .unwrap();
    }
    assert_eq!(client.late_answers(), 2);
    assert!(
        matches!(client.poll_answer(first, &mut cx), Poll::Ready(None)),
        "the deadline has passed"
    );

    // The slot is used again; an answer to the first call is no answer to the second.
    let second = client.start(&request, now, Waker::noop()).unwrap();
    assert_ne!(first, second);
    client
        .receive(answer(&mut server, first), now, &mut wakers)
        .unwrap();
    assert!(client.poll_answer(second, &mut cx).is_pending());
    client
        .receive(answer(&mut server, second), now, &mut wakers)
        .unwrap();
    assert!(matches!(
        client.poll_answer(second, &mut cx),
        Poll::Ready(Some(Ok(_)))
    ));
    assert_eq!(client.in_flight(), 0);
}

/// What expired on its way never reaches a handler.
#[test]
fn a_request_that_comes_without_time_left_is_answered_and_not_run() {
    let now = Instant::now();
    let (mut client, mut server) = (
        ClientConnection::new(Limits::default(), now),
        open_server(now),
    );
    for frame in drain(server.outbox()) {
        client.receive(frame, now, &mut Vec::new()).unwrap();
    }
    let route = Route::named("a", "b").unwrap();
    let deadline = Deadline::new(now, Duration::from_secs(1));
    let request = Request::new(route, Bytes::from_static(b"\x90"), deadline);
    client.start(&request, now, Waker::noop()).unwrap();
    let mut request = drain(client.outbox())
        .into_iter()
        .find(|frame| matches!(frame.message, Message::Request(..)))
        .unwrap();
    let Message::Request(head, _) = &mut request.message else {
        panic!("it was looked for")
    };
    head.timeout = 0;

    let event = server.receive(request, now, |_| ()).unwrap();
    let ServerEvent::Refused(refused) = event else {
        panic!("it would run: {event:?}")
    };
    assert_eq!(refused.reason, RefusalReason::Late);
    let answers = drain(server.outbox());
    let [
        Frame {
            message: Message::Error(outcome),
            ..
        },
    ] = &answers[..]
    else {
        panic!("one answer, and not {answers:?}")
    };
    assert_eq!(outcome.code, Code::DeadlineExceeded.as_u8());
    assert!(outcome.never_ran);
}
