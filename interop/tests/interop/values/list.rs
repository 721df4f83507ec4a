//! The values of `interop/python/values.py`, in the same order.

use rmpv::Value;

use super::nested;

const INTEGERS: [i128; 22] = [
    0,
    127,
    128,
    255,
    256,
    (1 << 16) - 1,
    1 << 16,
    (1 << 32) - 1,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
    -1,
    -32,
    -33,
    -128,
    -129,
    -(1 << 15),
    -(1 << 15) - 1,
    -(1 << 31),
    -(1 << 31) - 1,
    -(1 << 63),
];

const FLOATS: [f64; 10] = [
    0.0,
    -0.0,
    1.0,
    1.5,
    0.1,
    5e-324,
    f64::MAX,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

const LENGTHS: [usize; 10] = [0, 1, 15, 16, 31, 32, 255, 256, (1 << 16) - 1, 1 << 16];

const EXTENSIONS: [usize; 10] = [0, 1, 2, 4, 8, 16, 17, 255, 256, 1 << 16];

pub(crate) fn values() -> Vec<Value> {
    let mut values = vec![Value::Nil, true.into(), false.into()];
    values.extend(INTEGERS.map(integer));
    values.extend(FLOATS.map(Value::from));
    values.push("h\u{e9}\u{4e16}\u{1f600}\0".into());
    values.push(binary(b"\0\xff\x80ab"));
    values.push(binary(b"\0\xff"));
    values.push(in_each_other());
    values.push(nested(100));
    for length in LENGTHS {
        values.push("x".repeat(length).into());
        values.push(vec![0xFF; length].into());
        values.push(vec![Value::from(1); length].into());
        let entries = (0..length).map(|key| (key.into(), Value::Nil));
        values.push(Value::Map(entries.collect()));
    }
    values.extend(keys().map(|key| Value::Map(vec![(key, 1.into())])));
    for length in EXTENSIONS {
        let code = i8::try_from(length % 128).unwrap();
        values.push(Value::Ext(code, vec![0xFF; length]));
    }
    values
}

fn in_each_other() -> Value {
    let map = |key: &str, value| Value::Map(vec![(key.into(), value)]);
    let inner = vec![Value::Nil, true.into(), map("b", Value::Map(Vec::new()))];
    Value::Array(vec![
        1.into(),
        Value::Array(vec![2.into(), 3.into()]),
        Value::Array(vec![4.into()]),
        map("a", Value::Array(inner)),
    ])
}

fn keys() -> [Value; 9] {
    [
        Value::Nil,
        true.into(),
        7.into(),
        (-7).into(),
        1.5.into(),
        "".into(),
        "text".into(),
        binary(b"bytes"),
        Value::Array(vec![1.into(), Value::Array(vec!["a".into()])]),
    ]
}

fn integer(value: i128) -> Value {
    u64::try_from(value).map_or_else(|_| i64::try_from(value).unwrap().into(), Value::from)
}

pub(super) fn binary(bytes: &[u8]) -> Value {
    Value::Binary(bytes.to_vec())
}
