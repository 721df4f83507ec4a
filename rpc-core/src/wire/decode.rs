use serde::de::DeserializeOwned;
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
    #[error("{0} bytes too many after the value")]
    Trailing(usize),
}

/// Reads a value that is all of `bytes`.
///
/// # Errors
///
/// When the bytes do not fit the type, claim more than they hold, or go on after the value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    scan::check(bytes)?;
    let mut rest = bytes;
    let value = decode_next(&mut rest, MAX_DEPTH)?;
    match rest.len() {
        0 => Ok(value),
        more => Err(DecodeError::Trailing(more)),
    }
}

/// Reads the value at the front of bytes that were checked, and moves past it; it may nest so deep.
pub(super) fn decode_next<T: DeserializeOwned>(
    rest: &mut &[u8],
    depth: usize,
) -> Result<T, rmp_serde::decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::new(rest);
    // The deserializer refuses the level at its limit.
    deserializer.set_max_depth(depth + 1);
    T::deserialize(&mut deserializer)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::IgnoredAny};

    use super::{MAX_DEPTH, decode};

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
}
