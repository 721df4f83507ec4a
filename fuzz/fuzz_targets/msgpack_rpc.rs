//! Any bytes, in any pieces, at the serving end of MessagePack-RPC and at the calling one.
//!
//! Whatever comes, nothing panics, no more is held than the limit, and each request has exactly one answer, in the order
//! of the requests, and a notification none. Once a call that got a result has shown that its connection has no meta map, no
//! call is read as if it had one. What is asked of a server is read as it was written.

#![no_main]

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use doge_rpc_core::{
    Deadline, Status,
    call::{Names, Request, Response, Route},
    connection::{Batch, HasOutbox as _, Limits, Methods, ServerEvent, Serving as _},
    msgpack_rpc::{
        self, AskOptions, Call, Message, Messages, MetaMap, MsgId, Options, Reply, ServerConnection,
    },
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

    fn spelt(&self, _: Option<&str>, method: &str) -> ((), Option<&'static MethodSchema>) {
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
        if let Reply::Answer(response) = msgpack_rpc::answer(message, u32::from(how % 4) + 1) {
            let _ = response
                .decode::<Vec<String>, Status>(&Route::named("a", "b").expect("short names"));
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
    let mut has_no_map = false;
    for message in messages(bytes) {
        let params = Params::of(&message);
        match &message {
            Message::Request { id, .. } => asked.push(*id),
            Message::Invalid { id, .. } => asked.push(id.unwrap_or(MsgId::NONE)),
            Message::Notification { .. }
            | Message::InvalidNotification { .. }
            | Message::Answer { .. } => {}
        }
        match server.take(message, now, &Fuzzed) {
            Ok(ServerEvent::Call(call)) => {
                let answer = handle(&call.body, call.deadline);
                let has_meta = count(&call.body) + 1 == params.count;
                if meta == MetaMap::ByArity {
                    assert!(!has_meta || params.map);
                    assert!(!has_meta || !has_no_map || params.own);
                }
                ask(&call.body, how);
                if call.id % 3 == u64::from(how % 3) && server.has_room(0) {
                    server.run(call.id, call.deadline, call.id);
                    later.push((call.id, answer));
                } else {
                    has_no_map |= answer.is_ok() && params.known && !params.map && params.fit();
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

/// What the params of a call are.
#[derive(Default)]
struct Params {
    count: usize,
    /// Whether the first of them can be a meta map.
    map: bool,
    /// Whether it may have keys that only our client writes.
    own: bool,
    /// Whether the method is known.
    known: bool,
}

impl Params {
    fn of(message: &Message) -> Self {
        let (Message::Request { call, .. } | Message::Notification { call }) = message else {
            return Self::default();
        };
        let first = call.first().unwrap_or_default();
        Self {
            count: call.count() as usize,
            map: matches!(first.first(), Some(0x80..=0x8F | 0xC0 | 0xDE | 0xDF)),
            own: first.windows(5).any(|it| it == b"doge-"),
            known: call.method() != "unknown",
        }
    }

    /// Whether they are as many as the method has arguments.
    fn fit(&self) -> bool {
        (2..=3).contains(&self.count)
    }
}

/// How many arguments there are.
fn count(body: &[u8]) -> usize {
    let len = rmp::decode::read_array_len(&mut &*body);
    len.expect("a body is an array") as usize
}

/// Asks a server for a method with these arguments, which are an array.
fn ask(body: &Bytes, how: u8) {
    let options = AskOptions {
        meta: how & 1 != 0,
        framework_keys: how & 2 != 0,
        qualified: how & 4 != 0,
    };
    let request = Request::new(
        Route::from(&SUM),
        body.clone(),
        Deadline::at(Instant::now()),
    );
    // Deep ones are refused.
    let Ok(asked) = msgpack_rpc::ask(&request, 7, options) else {
        return;
    };
    let mut bytes = BytesMut::from(&[asked.head, asked.arguments].concat()[..]);
    let message = Messages::new(1 << 20).next(&mut bytes);
    let Ok(Some(Message::Request { id, call })) = message else {
        panic!("{message:?}")
    };
    assert!(bytes.is_empty() && id == MsgId::from(7));
    let method = if options.qualified { "fuzz/sum" } else { "sum" };
    assert_eq!(call.method(), method);
    assert_eq!(arguments(call, options.meta), values(body));
}

/// The arguments behind the meta map.
fn arguments(call: Call, meta: bool) -> Bytes {
    let params = match meta {
        true => call.into_params_after_first(),
        false => call.into_params(),
    };
    values(&params)
}

/// The elements of an array.
fn values(array: &Bytes) -> Bytes {
    let mut rest = &array[..];
    rmp::decode::read_array_len(&mut rest).expect("an array");
    array.slice(array.len() - rest.len()..)
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
