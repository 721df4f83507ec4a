//! A status inside a value: a user's error enum has a variant for it, and that enum travels.

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::{Code, Status};
use crate::protocol::whole_millis;

#[derive(Serialize, Deserialize)]
struct Record {
    #[serde(deserialize_with = "code")]
    code: u8,
    message: String,
    #[serde(default)]
    details: Bytes,
    #[serde(default)]
    pushback_ms: Option<u64>,
}

/// The number of an error. `Ok` is none, and numbers that no version has given a meaning are `Unknown` like those of
/// versions to come.
fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    struct Number;

    impl Visitor<'_> for Number {
        type Value = u8;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the number of a status code")
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<u8, E> {
            let code = match u8::try_from(number) {
                Ok(0) | Err(_) => Code::Unknown,
                Ok(number) => Code::from_u8(number),
            };
            Ok(code.as_u8())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<u8, E> {
            self.visit_u64(number.cast_unsigned())
        }
    }

    deserializer.deserialize_u64(Number)
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::capture::saw(self);
        Record {
            code: self.code().as_u8(),
            message: self.message().to_owned(),
            details: self.details().clone(),
            pushback_ms: self
                .pushback()
                .map(|pushback| whole_millis(pushback).into()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Status {
    /// A status that arrives as a value was made by a handler, so the call that carries it has run: whether an
    /// inner call never ran is that handler's business, and is not passed on.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let mut status =
            Self::new(Code::from_u8(record.code), record.message).with_details(record.details);
        if let Some(pushback) = record.pushback_ms {
            status = status.with_pushback(Duration::from_millis(pushback));
        }
        Ok(super::capture::received(status))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Code, Status};
    use crate::{
        schema::Encoding,
        wire::{self, StructLayouts},
    };

    #[test]
    fn a_status_is_the_same_as_a_map_and_as_an_array() {
        let layouts = StructLayouts::of(&[wire::explore::<Status>]);
        let plain = Status::not_found("no employee 7");
        let full = Status::resource_exhausted("full").with_details(&b"\xff\x00"[..]);
        for status in [plain, full.with_pushback(Duration::from_millis(100))] {
            for encoding in [Encoding::Map, Encoding::Array(&layouts)] {
                let bytes = wire::encode(&status, encoding).unwrap();
                assert_eq!(
                    wire::decode::<Status>(&bytes).unwrap(),
                    status,
                    "{encoding:?}"
                );
            }
        }
    }

    #[test]
    fn a_code_that_is_none_of_an_error_is_unknown() {
        for (code, expected) in [
            (&b"\x00"[..], Code::Unknown),
            (b"\x05", Code::NotFound),
            (b"\x11", Code::Unknown),
            (b"\xcc\xff", Code::Unknown),
            (b"\xcd\x01\x2c", Code::Unknown),
            (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", Code::Unknown),
            (b"\xff", Code::Unknown),
            (b"\xd1\x00\x05", Code::NotFound),
        ] {
            let map = [b"\x82\xa4code", code, b"\xa7message\xa4gone"].concat();
            let array = [b"\x92", code, b"\xa4gone"].concat();
            for bytes in [map, array] {
                let status = wire::decode::<Status>(&bytes).unwrap();
                assert_eq!(
                    (status.code(), status.message()),
                    (expected, "gone"),
                    "{bytes:02x?}"
                );
            }
        }
    }

    #[test]
    fn a_status_of_a_newer_peer_may_have_more() {
        let more = b"\x96\x05\xa4gone\xc4\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x81\x01\x02\x07";
        let status = wire::decode::<Status>(more).unwrap();
        assert_eq!(status.pushback(), Some(Duration::from_millis(1 << 32)));
    }
}
