//! All types at the edges of how MessagePack writes them, each seen on both ends.

use doge_interop::{Meta, Methods as _, Server, scenario};
use rmpv::Value;

use super::{
    list::{binary, values},
    of_both_kinds,
    recorder::Recorder,
    same, start,
};
use crate::ours::{blocking, client, port};

#[track_caller]
fn assert_same(one: &[Value], other: &[Value]) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        assert!(same(one, other), "{} is not {}", start(one), start(other));
    }
}

#[tokio::test]
async fn python_gets_back_from_rust_what_it_sent_and_rust_sees_what_that_is() {
    let recorder = Recorder::default();
    let server = recorder.serve().await;
    let port = port(&server);
    for meta in Meta::BOTH {
        let cases = blocking(move || scenario("values", port, meta, &[])).await;
        for case in cases {
            assert_eq!(case["same"], true, "{case}");
        }
        assert_same(&recorder.take(), &values());
    }
}

#[tokio::test]
async fn rust_gets_back_from_python_and_from_rust_what_it_sent() {
    for meta in Meta::BOTH {
        let (_servers, addresses) = of_both_kinds(meta).await;
        for address in addresses {
            let client = client(&address);
            for value in values() {
                let back = client.echo(value.clone()).await;
                let back = back.unwrap_or_else(|error| panic!("{}: {error}", start(&value)));
                assert!(
                    same(&back, &value),
                    "{} came as {}",
                    start(&value),
                    start(&back)
                );
            }
        }
    }
}

#[tokio::test]
async fn python_sees_the_types_that_rust_sent() {
    for meta in Meta::BOTH {
        let server = Server::mprpc(meta);
        let client = client(&server.address());
        let map = |key: Value, value: Value| Value::Map(vec![(key, value)]);
        for (value, shown) in [
            (Value::Nil, "None"),
            (true.into(), "True"),
            (false.into(), "False"),
            (127.into(), "127"),
            (u64::MAX.into(), "18446744073709551615"),
            (i64::MIN.into(), "-9223372036854775808"),
            (1.5.into(), "1.5"),
            (1.0.into(), "1.0"),
            (Value::F32(1.5), "1.5"),
            ((-0.0).into(), "-0.0"),
            (f64::NAN.into(), "nan"),
            ("h\u{e9}'".into(), "\"h\u{e9}'\""),
            (binary(b"\0ab"), "b'\\x00ab'"),
            (Value::Array(vec![1.into(), Value::Nil]), "(1, None)"),
            (
                map("a".into(), map(1.into(), true.into())),
                "{'a': {1: True}}",
            ),
            (map(Value::Array(vec![1.into()]), 1.into()), "{(1,): 1}"),
            (Value::Ext(5, vec![7]), "ExtType(code=5, data=b'\\x07')"),
        ] {
            assert_eq!(client.shown(value).await.as_deref(), Ok(shown));
        }
    }
}
