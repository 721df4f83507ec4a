//! Any bytes, in any pieces, at the serving end of MessagePack-RPC and at the calling one.
//!
//! Whatever comes, nothing panics, no more is held than the limit, and each request has exactly one answer, in the order
//! of the requests.

#![no_main]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use doge_rpc_core::{
    Deadline, Metadata, Status,
    call::{Names, Request, Response, Route},
    connection::{Batch, HasOutbox as _, Limits, Methods, ServerEvent, Serving as _},
    msgpack_rpc::{self, Message, Messages, MetaMap, MsgId, Options, ServerConnection},
    protocol::Violation,
    schema::{ArgumentSchema, Encoding, MethodSchema},
    wire,
};
use libfuzzer_sys::fuzz_target;
use tokio::time::Instant;

/// Small, so that what is larger is found soon.
const MAX_MESSAGE: usize = 512;

static ARGUMENTS: [ArgumentSchema; 3] = [
    ArgumentSchema::new("a", "u64"),
    ArgumentSchema::new("b", "String"),
    ArgumentSchema::new("c", "u64").with_default(),
];

static SUM: MethodSchema = MethodSchema::new("fuzz", "sum", 0).with_arguments(&ARGUMENTS);

struct Fuzzed;

impl Methods<()> for Fuzzed {
    fn named(&self, _: &Names) {}

    fn spelt(&self, method: &str) -> ((), Option<&'static MethodSchema>) {
        ((), (method != "unknown").then_some(&SUM))
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((&how, bytes)) = input.split_first() else {
        return;
    };
    let whole = parse(bytes, bytes.len().max(1));
    let pieces = parse(bytes, usize::from(how % 17) + 1);
    assert_eq!(whole, pieces, "pieces make no difference");
    serve(bytes, how);
    for message in messages(bytes) {
        if let Ok(response) = msgpack_rpc::answer(message, 1) {
            let _ = response.decode::<Vec<String>, Status>();
        }
    }
});

/// What is read of the bytes when they come in pieces of this size, for comparison.
fn parse(bytes: &[u8], piece: usize) -> (Vec<String>, Option<Violation>) {
    let (mut decoder, mut buffer, mut read) = (Messages::new(MAX_MESSAGE), BytesMut::new(), vec![]);
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        loop {
            match decoder.next(&mut buffer) {
                Ok(Some(message)) => read.push(format!("{message:?}")),
                Ok(None) => break,
                Err(violation) => return (read, Some(violation)),
            }
        }
        assert!(
            buffer.len() <= MAX_MESSAGE + 16,
            "no more is held than the limit"
        );
    }
    (read, None)
}

fn messages(bytes: &[u8]) -> Vec<Message> {
    let (mut decoder, mut buffer) = (Messages::new(MAX_MESSAGE), BytesMut::from(bytes));
    std::iter::from_fn(|| decoder.next(&mut buffer).ok().flatten()).collect()
}

/// Answers all requests, some at once and others later and in another order.
fn serve(bytes: &[u8], how: u8) {
    let now = Instant::now();
    let meta = [MetaMap::ByArity, MetaMap::Always, MetaMap::Never][usize::from(how) % 3];
    let options = Options {
        meta,
        max_message: MAX_MESSAGE,
        ..Options::default()
    };
    let limits = Limits {
        max_calls: 8,
        max_unwritten: 1 << 20,
        ..Limits::default()
    };
    let mut server = ServerConnection::<(), u64>::new(limits, options, now);
    let (mut asked, mut answered, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for message in messages(bytes) {
        match &message {
            Message::Request { id, .. } => asked.push(*id),
            Message::Invalid { id, .. } => asked.push(id.unwrap_or(MsgId::NONE)),
            Message::Notification { .. } | Message::Answer { .. } => {}
        }
        match server.take(message, now, &Fuzzed) {
            Ok(ServerEvent::Call(call)) => {
                let answer = handle(&call.body, call.deadline);
                if call.id % 3 == u64::from(how % 3) && server.has_room(0) {
                    server.run(call.id, call.deadline, call.id);
                    later.push((call.id, answer));
                } else {
                    server.answer(call.id, &answer);
                }
            }
            Ok(_) => {}
            Err(violation) => {
                server.refuse(&violation);
                asked.push(MsgId::NONE);
                break;
            }
        }
        if later.len() == 8 {
            finish(&mut server, &mut later);
        }
    }
    if how & 0x80 == 0 {
        finish(&mut server, &mut later);
    } else {
        // Those that are late are answered once, by the deadline.
        let late = now + Duration::from_secs(60);
        server.tick(late).expect("no message is there in part");
        finish(&mut server, &mut later);
    }
    for message in messages_of(&mut server) {
        let Message::Answer { id, .. } = message else {
            panic!("{message:?} is no answer")
        };
        answered.push(id);
    }
    if !asked.contains(&MsgId::NONE) {
        assert_eq!(asked, answered, "one answer each, in order");
    }
    assert_eq!(asked.len(), answered.len());
}

fn finish(
    server: &mut ServerConnection<(), u64>,
    later: &mut Vec<(u64, Result<Response, Status>)>,
) {
    while let Some((call, answer)) = later.pop() {
        server.finish(call, &answer);
    }
}

fn handle(body: &Bytes, deadline: Deadline) -> Result<Response, Status> {
    let request = Request::new(Route::from(&SUM), body.clone(), deadline);
    let mut arguments = request.arguments()?;
    let a: u64 = arguments.take("a")?;
    let b: String = arguments.take("b")?;
    let c: u64 = arguments.take_or_else("c", || 7)?;
    let value = (a, b, c);
    Ok(Response::from_result(wire::encode(&value, Encoding::Map)?))
}

/// What the server has to say.
fn messages_of(server: &mut ServerConnection<(), u64>) -> Vec<Message> {
    let (mut batch, mut bytes) = (Batch::default(), Vec::new());
    let mut context = Context::from_waker(Waker::noop());
    while server.outbox().take(&mut batch) {
        while !batch.is_empty() {
            let Poll::Ready(Ok(wrote)) = batch.poll_write(&mut pin!(&mut bytes), &mut context)
            else {
                panic!("memory takes everything")
            };
            server.outbox().wrote(wrote);
        }
    }
    let (mut decoder, mut buffer) = (Messages::new(1 << 24), BytesMut::from(&bytes[..]));
    let mut messages = Vec::new();
    while let Some(message) = decoder.next(&mut buffer).expect("we speak it") {
        messages.push(message);
    }
    assert!(buffer.is_empty(), "and to the end");
    messages
}
