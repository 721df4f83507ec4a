use bytes::BytesMut;

use super::{
    Fields, Kind, Reader, Violation, flags,
    header::{Open, TooLarge},
};

/// What stands in front of an answer that a handler gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHead {
    /// The body is the application's error value, not its result.
    pub application_error: bool,
    /// Stream items follow.
    pub stream: bool,
    /// Optional parts: metadata of the answer.
    pub fields: Fields,
}

impl ResponseHead {
    pub(crate) const FLAGS: u8 =
        flags::MORE | flags::COMPRESSED | flags::FIELDS | flags::APPLICATION_ERROR | flags::STREAM;

    pub(crate) fn flags(&self) -> u8 {
        let mut bits = 0;
        if self.application_error {
            bits |= flags::APPLICATION_ERROR;
        }
        if self.stream {
            bits |= flags::STREAM;
        }
        bits | self.fields.flag()
    }

    pub(crate) fn encode(&self, dst: &mut BytesMut) {
        self.fields.encode_unless_empty(dst);
    }

    /// Writes a frame up to its body, which is whole, and which the caller appends or sends by reference.
    ///
    /// # Errors
    ///
    /// When its payload is over `max_frame`; nothing is written then.
    pub(crate) fn encode_frame(
        &self,
        dst: &mut BytesMut,
        call: u64,
        body_len: usize,
        max_frame: u32,
    ) -> Result<(), TooLarge> {
        let open = Open::begin(dst, Kind::Response as u8, self.flags(), call);
        self.encode(dst);
        open.finish(dst, body_len, max_frame)
    }

    #[inline]
    pub(crate) fn decode(flags: u8, reader: &mut Reader) -> Result<Self, Violation> {
        let fields = Fields::decode_if_flagged(flags, reader)?;
        Ok(Self {
            application_error: flags & flags::APPLICATION_ERROR != 0,
            stream: flags & flags::STREAM != 0,
            fields,
        })
    }
}
