use std::cell::RefCell;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use thiserror::Error;

use crate::{Status, schema::Encoding};

/// A value that does not serialise.
#[derive(Debug, Error)]
#[error("cannot be written as MessagePack: {0}")]
pub struct EncodeError(#[from] rmp_serde::encode::Error);

impl From<EncodeError> for Status {
    fn from(error: EncodeError) -> Self {
        Self::invalid_argument(format!("the call {error}")).with_never_ran(true)
    }
}

/// Bytes of the chunk that a thread cuts bodies from.
const CHUNK: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::new());
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
/// # Errors
///
/// When the value's `Serialize` fails.
pub fn encode<T: Serialize + ?Sized>(value: &T, encoding: Encoding) -> Result<Bytes, EncodeError> {
    // Taken out while the value writes itself, so that a `Serialize` which encodes something else in turn finds an
    // empty buffer and not a borrowed one.
    let mut buffer = SCRATCH.take();
    if buffer.capacity() - buffer.len() < CHUNK / 8 {
        // Gives the same memory again when all slices of it are gone.
        buffer.reserve(CHUNK);
    }
    let written = match encoding {
        Encoding::Map => value
            .serialize(&mut rmp_serde::Serializer::new((&mut buffer).writer()).with_struct_map()),
        Encoding::Array => value.serialize(&mut rmp_serde::Serializer::new((&mut buffer).writer())),
    };
    let body = match written {
        Ok(()) => Ok(buffer.split().freeze()),
        Err(error) => {
            buffer.clear();
            Err(EncodeError(error))
        }
    };
    // A buffer that one large body blew up goes with that body.
    if buffer.capacity() <= 4 * CHUNK {
        SCRATCH.set(buffer);
    }
    body
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::encode;
    use crate::schema::Encoding;

    #[derive(Serialize)]
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
        assert_eq!(
            encode(&point, Encoding::Array).unwrap(),
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
