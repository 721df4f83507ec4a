use bytes::BytesMut;

use super::{Fields, Head, Kind, Reader, Violation, flags};

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

impl Head for ResponseHead {
    const KIND: Kind = Kind::Response;

    fn flags(&self) -> u8 {
        let mut bits = 0;
        if self.application_error {
            bits |= flags::APPLICATION_ERROR;
        }
        if self.stream {
            bits |= flags::STREAM;
        }
        bits | self.fields.flag()
    }

    fn encode(&self, dst: &mut BytesMut) {
        self.fields.encode_unless_empty(dst);
    }
}

impl ResponseHead {
    pub(crate) const FLAGS: u8 =
        flags::MORE | flags::COMPRESSED | flags::FIELDS | flags::APPLICATION_ERROR | flags::STREAM;

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
