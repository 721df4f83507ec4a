//! The test vectors of `docs/protocol.md`: the same file that an implementation in another language runs.

#![allow(
    clippy::unwrap_used,
    reason = "a test says what it expects by unwrapping"
)]

use bytes::BytesMut;
use doge_rpc_core::protocol::{
    Codec, DEFAULT_MAX_FRAME, Fields, Fragment, Frame, Message, Outcome, Reason, RouteRef,
    Violation,
};
use serde_json::{Map, Value, json};

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn bytes(vector: &Value) -> Vec<u8> {
    let hex = vector["hex"].as_str().unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn every_frame_decodes_to_its_meaning() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.get("frame").is_some())
    {
        let mut buffer = BytesMut::from(&*bytes(vector));
        let frame = Codec::default().next(&mut buffer).unwrap().unwrap();
        assert_eq!(describe(&frame), vector["frame"], "{}", vector["name"]);
        assert!(buffer.is_empty(), "{}", vector["name"]);
    }
}

#[test]
fn every_meaning_encodes_to_its_bytes() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.get("frame").is_some())
    {
        if vector.get("canonical") == Some(&json!(false)) {
            continue;
        }
        let original = bytes(vector);
        let frame = Codec::default()
            .next(&mut BytesMut::from(&*original))
            .unwrap()
            .unwrap();
        let mut encoded = BytesMut::new();
        frame.encode(&mut encoded, DEFAULT_MAX_FRAME).unwrap();
        assert_eq!(hex(&encoded), hex(&original), "{}", vector["name"]);
    }
}

#[test]
fn every_violation_is_refused_as_what_it_is() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.get("violation").is_some())
    {
        let violation = Codec::default()
            .next(&mut BytesMut::from(&*bytes(vector)))
            .unwrap_err();
        assert_eq!(
            kind_of(&violation),
            vector["violation"],
            "{}: {violation}",
            vector["name"]
        );
    }
}

#[test]
fn every_cut_of_every_frame_asks_for_more() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.get("frame").is_some())
    {
        let whole = bytes(vector);
        for end in 0..whole.len() {
            let decoded = Codec::default().next(&mut BytesMut::from(&whole[..end]));
            assert_eq!(decoded, Ok(None), "{} cut at {end}", vector["name"]);
        }
    }
}

fn kind_of(violation: &Violation) -> &'static str {
    match violation {
        Violation::Foreign(_) => "foreign",
        Violation::Reserved(_) => "reserved",
        Violation::Kind(_) => "kind",
        Violation::Flags { .. } => "flags",
        Violation::Oversize { .. } => "oversize",
        Violation::Truncated(_) => "truncated",
        Violation::Trailing(..) => "trailing",
        Violation::Malformed(_) => "malformed",
        Violation::Field(_) => "field",
        other => panic!("no bytes alone can show {other}"),
    }
}

fn describe(frame: &Frame) -> Value {
    let mut value = match &frame.message {
        Message::Hello(hello) => json!({
            "kind": "hello",
            "min_version": hello.min_version,
            "max_version": hello.max_version,
            "max_routes": hello.max_routes,
            "features": hello.features.0,
            "max_frame": hello.max_frame,
            "max_calls": hello.max_calls,
            "fields": fields(&hello.fields),
        }),
        Message::Request(head, payload) => json!({
            "kind": "request",
            "route": match &head.route {
                RouteRef::Known(number) => json!({ "number": number }),
                RouteRef::Named(number, names) => {
                    json!({ "number": number, "service": names.service, "method": names.method })
                }
            },
            "timeout": head.timeout,
            "attempt": {
                "number": head.attempt.number,
                "retry": head.attempt.retry,
                "criticality": head.attempt.criticality as u8,
            },
            "one_way": head.one_way,
            "stream": head.stream,
            "fields": fields(&head.fields),
            "body": body(payload),
        }),
        Message::Response(head, payload) => json!({
            "kind": "response",
            "application_error": head.application_error,
            "stream": head.stream,
            "fields": fields(&head.fields),
            "body": body(payload),
        }),
        Message::Error(ended) => outcome("error", ended),
        Message::Piece(payload) => json!({ "kind": "piece", "body": body(payload) }),
        Message::Item(extra, payload) => {
            json!({ "kind": "item", "fields": fields(extra), "body": body(payload) })
        }
        Message::End(ended) => outcome("end", ended),
        Message::Window(credit) => json!({ "kind": "window", "credit": credit }),
        Message::Cancel(None) => json!({ "kind": "cancel" }),
        Message::Cancel(Some(why)) => {
            json!({ "kind": "cancel", "reason": why.reason() as u8, "text": why.text() })
        }
        Message::Ping(number) => json!({ "kind": "ping", "number": number }),
        Message::Pong(number) => json!({ "kind": "pong", "number": number }),
        Message::GoAway(goaway) => json!({
            "kind": "go-away",
            "reason": if goaway.reason == Reason::Drain { 0 } else { 255 },
            "last_calls": goaway.last_calls,
            "message": goaway.message,
        }),
        Message::Skipped(number) => json!({ "kind": "skipped", "number": number }),
        other => panic!("a message that this test does not know: {other:?}"),
    };
    value["call"] = json!(frame.call);
    value
}

fn outcome(kind: &str, outcome: &Outcome) -> Value {
    json!({
        "kind": kind,
        "code": outcome.code,
        "never_ran": outcome.never_ran,
        "passed_on": outcome.passed_on,
        "message": outcome.message,
        "details": hex(&outcome.details),
        "fields": fields(&outcome.fields),
    })
}

fn body(body: &Fragment) -> Value {
    json!({ "data": hex(&body.data), "more": body.more, "compressed": body.compressed })
}

fn fields(fields: &Fields) -> Value {
    let mut map = Map::new();
    if !fields.metadata.is_empty() {
        let entries = fields
            .metadata
            .iter()
            .map(|(key, value)| (key.to_owned(), json!(hex(value))))
            .collect();
        map.insert("metadata".to_owned(), Value::Object(entries));
    }
    for (name, number) in [
        ("pushback", fields.pushback),
        ("inflated", fields.inflated),
        ("window", fields.window),
    ] {
        if let Some(number) = number {
            map.insert(name.to_owned(), json!(number));
        }
    }
    if let Some(agent) = &fields.agent {
        map.insert("agent".to_owned(), json!(agent));
    }
    Value::Object(map)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
