//! A status inside a value: a user's error enum has a variant for it, and that enum travels.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Code, Status};

#[derive(Serialize, Deserialize)]
struct Record {
    code: u8,
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    details: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pushback_ms: Option<u64>,
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record {
            code: self.code().as_u8(),
            message: self.message().to_owned(),
            details: self.details().to_vec(),
            pushback_ms: self
                .pushback()
                .map(|pushback| u64::try_from(pushback.as_millis()).unwrap_or(u64::MAX)),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Status {
    /// A status that arrives as a value was made by a handler, so the call that carries it has run: whether an
    /// inner call never ran is that handler's business, and is not passed on.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let mut status = Self::new(Code::from_u8(record.code), record.message);
        if !record.details.is_empty() {
            status = status.with_details(Bytes::from(record.details));
        }
        if let Some(pushback) = record.pushback_ms {
            status = status.with_pushback(Duration::from_millis(pushback));
        }
        Ok(status)
    }
}
