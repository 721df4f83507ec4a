use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{
    deserializer::{self, Deserializer},
    limits::{MAX_DEPTH, MAX_ELEMENTS},
};

/// Why bytes were not read as a value.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// They do not fit the type.
    #[error("{0}")]
    Mismatch(String),
    /// They are a value of another type.
    #[error("{0} came where another type is expected")]
    Type(&'static str),
    /// An array or a map announces more elements than there are bytes.
    #[error("{claimed} elements are announced where {left} bytes are left")]
    Claim {
        /// Elements announced.
        claimed: usize,
        /// Bytes after the announcement.
        left: usize,
    },
    /// All arrays and maps together have more elements than [`MAX_ELEMENTS`].
    #[error("more than {MAX_ELEMENTS} elements in one body")]
    Elements,
    /// Arrays and maps nest deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH}")]
    Depth,
    /// The bytes end inside the value.
    #[error("the bytes end inside a value")]
    Truncated,
    /// They go on after the value.
    #[error("bytes follow after the value")]
    Trailing,
}

impl DecodeError {
    /// Whether the value is well formed, and more than a body may hold.
    pub fn is_over_limit(&self) -> bool {
        matches!(self, Self::Elements | Self::Depth)
    }
}

/// Reads a value that is all of `bytes`.
///
/// A struct may be a map or an array. As an array it may have more elements than the type has fields, which are passed
/// over, and fewer when serde has a default for what is missing.
///
/// ```
/// use doge_rpc_core::wire;
///
/// assert_eq!(wire::decode::<(String, u8)>(b"\x92\xa4doge\x07")?, ("doge".into(), 7));
/// # Ok::<(), wire::DecodeError>(())
/// ```
///
/// # Errors
///
/// When the bytes do not fit the type, claim more than they hold, are over a limit, or go on after the value.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Deserializer::new(bytes);
    let value = T::deserialize(&mut reader).map_err(deserializer::Error::cause)?;
    if reader.rest().is_empty() {
        Ok(value)
    } else {
        Err(DecodeError::Trailing)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::IgnoredAny};

    use super::{DecodeError, MAX_DEPTH, MAX_ELEMENTS, decode};

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
    fn no_more_elements_are_read_than_a_body_may_have() {
        let many = |count: usize| {
            let count = u32::try_from(count).unwrap();
            [
                &b"\xdd"[..],
                &count.to_be_bytes(),
                &vec![0xC0; count as usize],
            ]
            .concat()
        };
        let most = decode::<Vec<()>>(&many(MAX_ELEMENTS)).unwrap();
        assert_eq!(most.len(), MAX_ELEMENTS);
        for error in [
            decode::<Vec<()>>(&many(MAX_ELEMENTS + 1)).unwrap_err(),
            decode::<IgnoredAny>(&many(MAX_ELEMENTS + 1)).unwrap_err(),
        ] {
            assert!(matches!(error, DecodeError::Elements), "{error}");
        }
    }

    #[test]
    fn an_announcement_over_what_is_left_is_refused_at_every_depth() {
        for (bytes, claimed, left) in [
            (&b"\xdd\xff\xff\xff\xff"[..], u32::MAX as usize, 0),
            (b"\x91\x81\xa1k\xde\x00\x10\x01", 32, 1),
            (b"\x92\x01", 2, 1),
        ] {
            let error = decode::<IgnoredAny>(bytes).unwrap_err().to_string();
            let expected = format!("{claimed} elements are announced where {left} bytes are left");
            assert_eq!(error, expected, "{bytes:02x?}");
        }
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
