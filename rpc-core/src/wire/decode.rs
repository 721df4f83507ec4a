use rmp_serde::{Deserializer, decode::ReadRefReader};
use serde::{
    Deserialize as _,
    de::{DeserializeOwned, IgnoredAny},
};
use thiserror::Error;

use super::scan::{self, MAX_DEPTH};

/// Bytes that are not the value they should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not fit the type.
    #[error("{0}")]
    Mismatch(#[from] rmp_serde::decode::Error),
    /// They claim more than they hold, or nest too deep.
    #[error("{0}")]
    Bomb(#[from] scan::ScanError),
    /// They go on after the value.
    #[error("bytes follow after the value")]
    Trailing,
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
        decode::<Tree>(&nested(MAX_DEPTH + 1)).unwrap_err();
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
