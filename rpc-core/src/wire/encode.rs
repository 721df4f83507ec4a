use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use thiserror::Error;

use super::{
    layouts::StructLayouts,
    limits::{MAX_DEPTH, MAX_ELEMENTS, OverLimit},
    recycled,
    serializer::{Cause, Error as SerializeError, Serializer},
};
use crate::{Status, schema::Encoding};

/// Why a value was not written. The text goes on after what it is about: "the answer {error}".
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Its `Serialize` fails.
    #[error("cannot be written as MessagePack: {0}")]
    Value(String),
    /// It has more elements than [`MAX_ELEMENTS`].
    #[error(
        "has more than {MAX_ELEMENTS} elements in its lists and maps (an entry of a map is two): page the list or split \
         the call, and give bytes a type that serialises as bytes"
    )]
    Elements,
    /// It nests deeper than [`MAX_DEPTH`].
    #[error(
        "is nested deeper than {MAX_DEPTH} levels: flatten the value, or refer to parts of it by id"
    )]
    Depth,
}

impl EncodeError {
    /// Whether the value is more than a body may hold.
    pub fn is_over_limit(&self) -> bool {
        matches!(self, Self::Elements | Self::Depth)
    }
}

impl From<EncodeError> for Status {
    fn from(error: EncodeError) -> Self {
        Self::invalid_argument(format!("the call {error}")).not_sent()
    }
}

/// Bodies of this many bytes and more are passed on by reference; copying smaller ones is cheaper than another segment.
pub(crate) const BY_REFERENCE: usize = 8 * 1024;

/// Bytes of the chunk that small bodies are cut from.
const CHUNK: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// A value is written to `body`, which serde's many small writes are fastest into, and then copied to the end of
/// `chunk`, from which bodies are cut without an allocation each.
#[derive(Default)]
struct Scratch {
    body: Vec<u8>,
    chunk: BytesMut,
}

/// Writes a value.
///
/// ```
/// use doge_rpc_core::{schema::Encoding, wire};
///
/// assert_eq!(wire::encode(&("doge", 7), Encoding::Map)?, b"\x92\xa4doge\x07"[..]);
/// # Ok::<(), wire::EncodeError>(())
/// ```
///
/// A value that would not be read back from arrays as what it is, is written with maps: see [`StructLayouts`].
///
/// # Errors
///
/// When the value's `Serialize` fails, or the body would be over a limit.
pub fn encode<T: Serialize + ?Sized>(
    value: &T,
    encoding: Encoding<'_>,
) -> Result<Bytes, EncodeError> {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => scratch.encode(value, encoding),
        // A `Serialize` encodes something else in turn.
        Err(_) => Scratch::default().encode(value, encoding),
    })
}

impl Scratch {
    fn encode<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        encoding: Encoding<'_>,
    ) -> Result<Bytes, EncodeError> {
        let arrays = match encoding {
            Encoding::Map => None,
            Encoding::Array(layouts) => Some(layouts),
        };
        self.write(value, arrays)
            .or_else(|cause| match cause {
                Cause::NotAsArray => self.write(value, None),
                cause => Err(cause),
            })
            .map_err(|cause| match cause {
                Cause::Value(message) => EncodeError::Value(message),
                Cause::Over(OverLimit::Elements) => EncodeError::Elements,
                Cause::Over(OverLimit::Depth) => EncodeError::Depth,
                Cause::NotAsArray => EncodeError::Value("a struct is no map".into()),
            })?;
        Ok(self.cut())
    }

    fn write<T: Serialize + ?Sized>(
        &mut self,
        value: &T,
        arrays: Option<&StructLayouts>,
    ) -> Result<(), Cause> {
        self.body.clear();
        value
            .serialize(&mut Serializer::new(&mut self.body, arrays))
            .map_err(SerializeError::cause)
    }

    fn cut(&mut self) -> Bytes {
        if self.body.len() >= BY_REFERENCE {
            return recycled::body(std::mem::replace(&mut self.body, recycled::buffer()));
        }
        if self.chunk.capacity() < self.body.len() {
            // Gives the same memory again when all slices of it are gone.
            self.chunk.reserve(CHUNK);
        }
        self.chunk.extend_from_slice(&self.body);
        self.chunk.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::encode;
    use crate::{
        schema::Encoding,
        wire::{StructLayouts, explore},
    };

    #[derive(Serialize, Deserialize)]
    struct Point {
        x: u8,
        y: u8,
    }

    #[test]
    fn structs_are_maps_unless_arrays_are_asked_for() {
        let point = Point { x: 1, y: 2 };
        assert_eq!(
            encode(&point, Encoding::Map).unwrap(),
            b"\x82\xa1x\x01\xa1y\x02"[..]
        );
        let layouts = StructLayouts::of(&[explore::<Point>]);
        assert_eq!(
            encode(&point, Encoding::Array(&layouts)).unwrap(),
            b"\x92\x01\x02"[..]
        );
    }

    #[test]
    fn a_value_that_fails_leaves_nothing_behind() {
        struct Fails;
        impl Serialize for Fails {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        assert!(encode(&(1, Fails), Encoding::Map).is_err());
        assert_eq!(encode(&2, Encoding::Map).unwrap(), b"\x02"[..]);
    }

    #[test]
    fn a_value_may_encode_another_while_it_is_written() {
        struct Nested;
        impl Serialize for Nested {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let inner = encode(&7, Encoding::Map).map_err(serde::ser::Error::custom)?;
                serializer.serialize_bytes(&inner)
            }
        }
        assert_eq!(
            encode(&(1, Nested), Encoding::Map).unwrap(),
            b"\x92\x01\xc4\x01\x07"[..]
        );
    }
}
