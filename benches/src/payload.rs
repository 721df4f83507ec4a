use std::{fmt, io::Write};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::Entry;

/// What goes through, there and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Payload {
    /// A [`Small`] record.
    #[value(name = "small")]
    #[serde(rename = "small")]
    Small,
    /// 1 KiB of bytes.
    #[value(name = "1KiB")]
    #[serde(rename = "1KiB")]
    Kib1,
    /// 64 KiB of bytes.
    #[value(name = "64KiB")]
    #[serde(rename = "64KiB")]
    Kib64,
    /// 1 MiB of bytes.
    #[value(name = "1MiB")]
    #[serde(rename = "1MiB")]
    Mib1,
}

/// A record such as services pass around.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Small {
    /// Number of the record.
    pub id: u64,
    /// 16 bytes.
    pub name: String,
    /// Three, of 8 bytes each.
    pub tags: Vec<String>,
    /// An amount.
    pub salary: f64,
    /// A flag.
    pub active: bool,
}

/// A payload as a user's types have it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A record.
    Small(Small),
    /// Bytes.
    Blob(ByteBuf),
}

impl Small {
    /// The record that the benchmarks send.
    pub fn sample() -> Self {
        Self {
            id: 1_234_567_890_123,
            name: "Grace M. Hopper!".into(),
            tags: vec!["engineer".into(), "compiler".into(), "rear-adm".into()],
            salary: 98_765.25,
            active: true,
        }
    }
}

impl Payload {
    /// The value that stands for it.
    pub fn value(self) -> Value {
        match self {
            Self::Small => Value::Small(Small::sample()),
            blob => Value::Blob(ByteBuf::from(vec![0x5A; blob.bytes()])),
        }
    }

    /// Bytes of it as MessagePack, with the names of its fields; of a blob, its own.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small => 92,
            Self::Kib1 => 1024,
            Self::Kib64 => 64 * 1024,
            Self::Mib1 => 1024 * 1024,
        }
    }

    /// The floor that calls of it are compared with: what is serialised matters for small ones, what is copied for large.
    pub fn floor(self) -> Entry {
        match self {
            Self::Small | Self::Kib1 => Entry::EchoMsgpack,
            Self::Kib64 | Self::Mib1 => Entry::Echo,
        }
    }
}

impl Value {
    /// The value as MessagePack, structs as maps.
    ///
    /// # Errors
    ///
    /// As the encoder reports it.
    pub fn write(&self, buffer: &mut impl Write) -> Result<(), rmp_serde::encode::Error> {
        match self {
            Self::Small(small) => rmp_serde::encode::write_named(buffer, small),
            Self::Blob(blob) => rmp_serde::encode::write_named(buffer, blob),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Small => "small",
            Self::Kib1 => "1 KiB",
            Self::Kib64 => "64 KiB",
            Self::Mib1 => "1 MiB",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Payload;

    #[test]
    fn the_small_record_has_as_many_bytes_as_it_says() {
        let mut bytes = Vec::new();
        Payload::Small.value().write(&mut bytes).unwrap();
        assert_eq!(bytes.len(), Payload::Small.bytes());
    }
}
