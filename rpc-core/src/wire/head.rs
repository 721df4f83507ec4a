//! Heads of values.

use serde::de::Visitor;

use super::{DecodeError, deserializer::Error};

/// What the first bytes of a value say: all of it where that is a number, and its length otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Head {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    F32(f32),
    F64(f64),
    Text(usize),
    Bytes(usize),
    Array(usize),
    Map(usize),
    /// Bytes after its tag.
    Extension(usize),
    Reserved,
}

/// The head at the front, and what follows it; `None` when the bytes end inside it.
#[inline]
pub(super) fn head(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let head = match first {
        0x00..=0x7F => Head::Unsigned(first.into()),
        0x80..=0x8F => Head::Map(usize::from(first & 0x0F)),
        0x90..=0x9F => Head::Array(usize::from(first & 0x0F)),
        0xA0..=0xBF => Head::Text(usize::from(first & 0x1F)),
        0xC0 => Head::Nil,
        0xC1 => Head::Reserved,
        0xC2 => Head::Bool(false),
        0xC3 => Head::Bool(true),
        0xD4..=0xD8 => Head::Extension(1 << (first - 0xD4)),
        0xE0..=0xFF => Head::Signed(first.cast_signed().into()),
        _ => return wide(first, rest),
    };
    Some((head, rest))
}

fn wide(first: u8, rest: &[u8]) -> Option<(Head, &[u8])> {
    macro_rules! be {
        ($ty:ty, $head:expr) => {{
            let (bytes, rest) = rest.split_first_chunk()?;
            Some(($head(<$ty>::from_be_bytes(*bytes)), rest))
        }};
    }
    match first {
        0xCC => be!(u8, |value| Head::Unsigned(u64::from(value))),
        0xCD => be!(u16, |value| Head::Unsigned(u64::from(value))),
        0xCE => be!(u32, |value| Head::Unsigned(u64::from(value))),
        0xCF => be!(u64, Head::Unsigned),
        0xD0 => be!(i8, |value| Head::Signed(i64::from(value))),
        0xD1 => be!(i16, |value| Head::Signed(i64::from(value))),
        0xD2 => be!(i32, |value| Head::Signed(i64::from(value))),
        0xD3 => be!(i64, Head::Signed),
        0xCA => be!(f32, Head::F32),
        0xCB => be!(f64, Head::F64),
        0xD9 => be!(u8, |len| Head::Text(usize::from(len))),
        0xDA => be!(u16, |len| Head::Text(usize::from(len))),
        0xDB => be!(u32, |len| Head::Text(size(len))),
        0xC4 => be!(u8, |len| Head::Bytes(usize::from(len))),
        0xC5 => be!(u16, |len| Head::Bytes(usize::from(len))),
        0xC6 => be!(u32, |len| Head::Bytes(size(len))),
        0xDC => be!(u16, |len| Head::Array(usize::from(len))),
        0xDD => be!(u32, |len| Head::Array(size(len))),
        0xDE => be!(u16, |len| Head::Map(usize::from(len))),
        0xDF => be!(u32, |len| Head::Map(size(len))),
        0xC7 => be!(u8, |len| Head::Extension(usize::from(len))),
        0xC8 => be!(u16, |len| Head::Extension(usize::from(len))),
        0xC9 => be!(u32, |len| Head::Extension(size(len))),
        // The others have no bytes of their own.
        _ => Some((Head::Reserved, rest)),
    }
}

/// No memory holds more than its addresses reach.
fn size(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

impl Head {
    /// Gives a visitor what has no bytes beyond its head.
    pub(super) fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Unsigned(value) => visitor.visit_u64(value),
            Self::Signed(value) => visitor.visit_i64(value),
            Self::F32(value) => visitor.visit_f32(value),
            Self::F64(value) => visitor.visit_f64(value),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Nil => visitor.visit_unit(),
            other => Err(other.mismatch()),
        }
    }

    #[cold]
    pub(super) fn mismatch(self) -> Error {
        Error::of(DecodeError::Type(match self {
            Self::Map(_) => "a map",
            Self::Array(_) => "an array",
            Self::Text(_) => "a text",
            Self::Bytes(_) => "bytes",
            Self::Nil => "nil",
            Self::Bool(_) => "a boolean",
            Self::F32(_) | Self::F64(_) => "a float",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::Extension(_) => "an extension",
            Self::Reserved => "no value",
        }))
    }
}
