use rmp::Marker;
use rmp_serde::{Deserializer, decode::ReadRefReader};
use serde::{
    Deserialize as _,
    de::{DeserializeOwned, IgnoredAny},
};
use thiserror::Error;

use super::scan::{self, MAX_DEPTH, ScanError};

/// Bytes that are not the value they should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not fit the type.
    #[error("{0}")]
    Mismatch(rmp_serde::decode::Error),
    /// They are a value of another type.
    #[error("{0} came where another type is expected")]
    Type(&'static str),
    /// They claim more than they hold, or nest too deep.
    #[error("{0}")]
    Bomb(#[from] scan::ScanError),
    /// They go on after the value.
    #[error("bytes follow after the value")]
    Trailing,
}

impl From<rmp_serde::decode::Error> for DecodeError {
    /// That values nest too deep is found out here where the body was small enough not to be walked first.
    fn from(error: rmp_serde::decode::Error) -> Self {
        match error {
            rmp_serde::decode::Error::DepthLimitExceeded => Self::Bomb(ScanError::Depth),
            rmp_serde::decode::Error::TypeMismatch(marker) => Self::Type(kind(marker)),
            error => Self::Mismatch(error),
        }
    }
}

/// Reads a value that is all of `bytes`.
///
/// # Errors
///
/// When the bytes do not fit the type, claim more than they hold, or go on after the value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    scan::check(bytes)?;
    let mut reader = reader(bytes, MAX_DEPTH);
    let value = T::deserialize(&mut reader)?;
    match IgnoredAny::deserialize(&mut reader) {
        // The end, where it should be.
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(value),
        _ => Err(DecodeError::Trailing),
    }
}

/// What a value is that begins like this.
fn kind(marker: Marker) -> &'static str {
    match marker {
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => "a map",
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => "an array",
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => "a text",
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => "bytes",
        Marker::Null => "nil",
        Marker::True | Marker::False => "a boolean",
        Marker::F32 | Marker::F64 => "a float",
        Marker::FixPos(_) | Marker::FixNeg(_) => "an integer",
        Marker::U8 | Marker::U16 | Marker::U32 | Marker::U64 => "an integer",
        Marker::I8 | Marker::I16 | Marker::I32 | Marker::I64 => "an integer",
        Marker::Reserved => "no value",
        _ => "an extension",
    }
}

/// Values out of bytes that were checked, which may nest so deep. Text and blobs are copied once, into the value.
pub(super) fn reader(bytes: &[u8], depth: usize) -> Reader<'_> {
    let mut reader = Deserializer::from_read_ref(bytes);
    // The deserializer refuses the level at its limit.
    reader.set_max_depth(depth + 1);
    reader
}

pub(super) type Reader<'a> = Deserializer<ReadRefReader<'a, [u8]>>;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::IgnoredAny};

    use super::{DecodeError, MAX_DEPTH, decode};

    #[derive(Debug, Deserialize)]
    struct Tree(#[expect(dead_code, reason = "only its depth counts")] Vec<Self>);

    #[test]
    fn values_nest_as_deep_as_they_may_and_no_deeper() {
        let nested = |depth: usize| [vec![0x91; depth - 1], vec![0x90]].concat();
        decode::<IgnoredAny>(&nested(MAX_DEPTH)).unwrap();
        decode::<IgnoredAny>(&nested(MAX_DEPTH + 1)).unwrap_err();
        decode::<Tree>(&nested(MAX_DEPTH)).unwrap();
        let too_deep = decode::<Tree>(&nested(MAX_DEPTH + 1)).unwrap_err();
        assert_eq!(too_deep.to_string(), "nested deeper than 128");
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        for (value, what) in [
            (&b"\x80"[..], "a map"),
            (b"\x91\x01", "an array"),
            (b"\xa1a", "a text"),
            (b"\xc4\x01a", "bytes"),
            (b"\xd4\x01\x01", "an extension"),
        ] {
            let error = decode::<i64>(value).unwrap_err().to_string();
            let expected = format!("{what} came where another type is expected");
            assert_eq!(error, expected, "{value:02x?}");
        }
    }

    #[test]
    fn nothing_may_follow_the_value() {
        assert_eq!(decode::<u8>(b"\x07").unwrap(), 7);
        for more in [&b"\x07\x07"[..], b"\x07\xc1", b"\x07\xa5ab"] {
            assert!(
                matches!(decode::<u8>(more), Err(DecodeError::Trailing)),
                "{more:02x?}"
            );
        }
    }
}
