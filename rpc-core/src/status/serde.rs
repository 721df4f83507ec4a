//! A status inside a value: a user's error enum has a variant for it, and that enum travels.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Code, Status};
use crate::protocol::whole_millis;

#[derive(Serialize, Deserialize)]
struct Record {
    code: u8,
    message: String,
    #[serde(default)]
    details: Bytes,
    #[serde(default)]
    pushback_ms: Option<u32>,
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::capture::saw(self);
        Record {
            code: self.code().as_u8(),
            message: self.message().to_owned(),
            details: self.details().clone(),
            pushback_ms: self.pushback().map(whole_millis),
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
            status = status.with_pushback(Duration::from_millis(u64::from(pushback)));
        }
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Status;
    use crate::{schema::Encoding, wire};

    #[test]
    fn a_status_is_the_same_as_a_map_and_as_an_array() {
        let plain = Status::not_found("no employee 7");
        let full = Status::resource_exhausted("full").with_details(&b"\xff\x00"[..]);
        for status in [plain, full.with_pushback(Duration::from_millis(100))] {
            for encoding in [Encoding::Map, Encoding::Array] {
                let bytes = wire::encode(&status, encoding).unwrap();
                assert_eq!(
                    wire::decode::<Status>(&bytes).unwrap(),
                    status,
                    "{encoding:?}"
                );
            }
        }
    }
}
