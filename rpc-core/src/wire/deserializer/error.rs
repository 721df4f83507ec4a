use std::fmt;

use serde::de;

use super::DecodeError;
use crate::wire::limits::OverLimit;

/// Why a value was not read. As thin as a pointer, since each of serde's calls returns it: beside a value of a word both
/// travel in registers.
#[derive(Debug)]
pub(in crate::wire) struct Error(Box<DecodeError>);

impl Error {
    #[cold]
    pub(in crate::wire) fn of(cause: DecodeError) -> Self {
        Self(Box::new(cause))
    }

    #[cold]
    pub(super) fn truncated() -> Self {
        Self::of(DecodeError::Truncated)
    }

    pub(in crate::wire) fn cause(self) -> DecodeError {
        *self.0
    }
}

impl From<OverLimit> for Error {
    #[cold]
    fn from(limit: OverLimit) -> Self {
        Self::of(match limit {
            OverLimit::Depth => DecodeError::Depth,
            OverLimit::Elements => DecodeError::Elements,
        })
    }
}

impl de::Error for Error {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(DecodeError::Mismatch(message.to_string()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}
