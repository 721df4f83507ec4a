use bytes::{BufMut, BytesMut};

use super::{Kind, Violation, violation::Foreign};

/// The first byte of every frame: the one byte that no MessagePack value starts with.
pub const MAGIC: u8 = 0xC1;

/// Every frame begins with this many bytes.
pub const HEADER_LEN: usize = 16;

/// Flag bits. The low four mean the same in every kind that has them, the high four depend on the kind.
pub(crate) mod flags {
    /// The body goes on in pieces.
    pub(crate) const MORE: u8 = 0x01;
    /// The body is compressed with the algorithm agreed in hello.
    pub(crate) const COMPRESSED: u8 = 0x02;
    /// A block of fields stands between head and body.
    pub(crate) const FIELDS: u8 = 0x04;
    /// Request: the names of the route follow the head.
    pub(crate) const NAMED: u8 = 0x10;
    /// Response: the body is the application's error value.
    pub(crate) const APPLICATION_ERROR: u8 = 0x10;
    /// Request: no answer is wanted.
    pub(crate) const ONE_WAY: u8 = 0x20;
    /// Request, response: stream items follow.
    pub(crate) const STREAM: u8 = 0x40;
}

/// The fixed part of a frame: magic, kind, flags, a zero byte, payload length, call id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What the frame is; a number, since optional kinds need no name here.
    pub kind: u8,
    /// Flag bits of that kind.
    pub flags: u8,
    /// Bytes that follow the header.
    pub length: u32,
    /// The call that the frame belongs to; 0 for the connection.
    pub call: u64,
}

impl Header {
    /// Reads the header of a frame, and refuses what no frame starts with and what is over the limit, before a
    /// byte of payload is there.
    ///
    /// # Errors
    ///
    /// A [`Violation`] as soon as the bytes at hand prove one. `Ok(None)` asks for more bytes.
    #[inline]
    pub fn peek(bytes: &[u8], max_frame: u32) -> Result<Option<Self>, Violation> {
        let Some(header) = bytes.first_chunk::<HEADER_LEN>() else {
            return match bytes.first() {
                None | Some(&MAGIC) => Ok(None),
                Some(_) => Foreign::recognise(bytes)
                    .map_or(Ok(None), |foreign| Err(Violation::Foreign(foreign))),
            };
        };
        let [magic, kind, flags, reserved, l0, l1, l2, l3, call @ ..] = *header;
        if magic != MAGIC {
            return Err(Violation::Foreign(
                Foreign::recognise(bytes).unwrap_or(Foreign::Unknown(magic)),
            ));
        }
        let header = Self {
            kind,
            flags,
            length: u32::from_be_bytes([l0, l1, l2, l3]),
            call: u64::from_be_bytes(call),
        };
        if reserved != 0 {
            return Err(Violation::Reserved(reserved));
        }
        if Kind::from_u8(kind).is_none() && !Kind::OPTIONAL.contains(&kind) {
            return Err(Violation::Kind(kind));
        }
        if header.length > max_frame {
            return Err(Violation::Oversize {
                length: header.length,
                limit: max_frame,
            });
        }
        Ok(Some(header))
    }
}

/// A frame being written: the header is patched once the length is known.
#[derive(Debug)]
pub(crate) struct Open {
    start: usize,
}

impl Open {
    /// Writes a header whose length is still open.
    pub(crate) fn begin(dst: &mut BytesMut, kind: u8, flags: u8, call: u64) -> Self {
        let start = dst.len();
        let mut header = [MAGIC, kind, flags, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        header[8..].copy_from_slice(&call.to_be_bytes());
        dst.put_slice(&header);
        Self { start }
    }

    /// Closes the frame; `outside` bytes of its payload are written elsewhere, by reference.
    ///
    /// # Errors
    ///
    /// When the payload is over the limit; the buffer is then as it was before.
    pub(crate) fn finish(
        self,
        dst: &mut BytesMut,
        outside: usize,
        max_frame: u32,
    ) -> Result<(), TooLarge> {
        let length = dst.len() - self.start - HEADER_LEN + outside;
        match u32::try_from(length) {
            Ok(length) if length <= max_frame => {
                dst[self.start + 4..self.start + 8].copy_from_slice(&length.to_be_bytes());
                Ok(())
            }
            _ => {
                dst.truncate(self.start);
                Err(TooLarge {
                    length,
                    limit: max_frame,
                })
            }
        }
    }
}

/// A frame of ours that the limit does not let out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {length} bytes is over the limit of {limit}")]
pub struct TooLarge {
    /// Bytes of payload.
    pub length: usize,
    /// The most that may be sent.
    pub limit: u32,
}
