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
    let value = decode_next(&mut rest)?;
    match rest.len() {
        0 => Ok(value),
        more => Err(DecodeError::Trailing(more)),
    }
}

/// Reads the value at the front of bytes that were checked, and moves past it.
pub(super) fn decode_next<T: DeserializeOwned>(
    rest: &mut &[u8],
) -> Result<T, rmp_serde::decode::Error> {
    let mut deserializer = rmp_serde::Deserializer::new(rest);
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer)
}
