use bytes::{BufMut, Bytes, BytesMut};

use super::{
    Fields, GoAway, Header, Hello, Kind, Outcome, Reader, RequestHead, ResponseHead, Violation,
    cancel, flags,
    header::{Open, TooLarge},
};
use crate::call::Cancellation;

/// What stands in front of the body of a request or of an answer.
pub(crate) trait Head {
    const KIND: Kind;

    fn flags(&self) -> u8;

    fn encode(&self, dst: &mut BytesMut);

    /// Writes a frame up to its body, which is whole, and which the caller appends or sends by reference.
    ///
    /// # Errors
    ///
    /// When its payload is over `max_frame`; nothing is written then.
    fn encode_frame(
        &self,
        dst: &mut BytesMut,
        call: u64,
        body_len: usize,
        max_frame: u32,
    ) -> Result<(), TooLarge> {
        let open = Open::begin(dst, Self::KIND as u8, self.flags(), call);
        self.encode(dst);
        open.finish(dst, body_len, max_frame)
    }
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The call that it belongs to; 0 for the connection.
    pub call: u64,
    /// What it says.
    pub message: Message,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Versions, features, limits.
    Hello(Hello),
    /// A call.
    Request(RequestHead, Fragment),
    /// The answer of a handler.
    Response(ResponseHead, Fragment),
    /// Why there is no answer.
    Error(Outcome),
    /// The next piece of a body.
    Piece(Fragment),
    /// One item of a stream.
    Item(Fields, Fragment),
    /// The end of a stream.
    End(Outcome),
    /// Room for so many bytes more.
    Window(u32),
    /// The caller gave the call up. Why, where that is agreed.
    Cancel(Option<Cancellation>),
    /// Are you there? The number comes back.
    Ping(u64),
    /// I am.
    Pong(u64),
    /// No more calls.
    GoAway(GoAway),
    /// A kind that need not be known, and is not.
    Skipped(u8),
}

/// A body, or a piece of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The bytes.
    pub data: Bytes,
    /// More pieces follow.
    pub more: bool,
    /// The whole body is compressed.
    pub compressed: bool,
}

impl Fragment {
    /// A whole body as it is.
    pub fn whole(data: Bytes) -> Self {
        Self {
            data,
            more: false,
            compressed: false,
        }
    }

    fn flags(&self) -> u8 {
        (if self.more { flags::MORE } else { 0 })
            | (if self.compressed {
                flags::COMPRESSED
            } else {
                0
            })
    }

    fn decode(bits: u8, reader: Reader) -> Self {
        Self {
            data: reader.rest(),
            more: bits & flags::MORE != 0,
            compressed: bits & flags::COMPRESSED != 0,
        }
    }
}

impl Frame {
    /// Writes the frame.
    ///
    /// # Errors
    ///
    /// When its payload is over `max_frame`; nothing is written then.
    pub fn encode(&self, dst: &mut BytesMut, max_frame: u32) -> Result<(), TooLarge> {
        let body = self.encode_all_but_body(dst, max_frame)?;
        dst.put_slice(body);
        Ok(())
    }

    /// Writes header and head, and hands the body back for the caller to copy or to send by reference.
    pub(crate) fn encode_all_but_body(
        &self,
        dst: &mut BytesMut,
        max_frame: u32,
    ) -> Result<&Bytes, TooLarge> {
        static NOTHING: Bytes = Bytes::new();
        let (kind, bits) = self.message.kind_and_flags();
        let open = Open::begin(dst, kind, bits, self.call);
        let body = match &self.message {
            Message::Hello(hello) => {
                hello.encode(dst);
                &NOTHING
            }
            Message::Request(head, body) => {
                head.encode(dst);
                &body.data
            }
            Message::Response(head, body) => {
                head.encode(dst);
                &body.data
            }
            Message::Error(outcome) | Message::End(outcome) => {
                outcome.encode(dst);
                &NOTHING
            }
            Message::Piece(body) => &body.data,
            Message::Item(fields, body) => {
                fields.encode_unless_empty(dst);
                &body.data
            }
            Message::Window(credit) => {
                dst.put_u32(*credit);
                &NOTHING
            }
            Message::Ping(number) | Message::Pong(number) => {
                dst.put_u64(*number);
                &NOTHING
            }
            Message::GoAway(goaway) => {
                goaway.encode(dst);
                &NOTHING
            }
            Message::Cancel(cancellation) => {
                cancel::encode(cancellation.as_ref(), dst);
                &NOTHING
            }
            Message::Skipped(_) => &NOTHING,
        };
        open.finish(dst, body.len(), max_frame)?;
        Ok(body)
    }

    /// Reads a frame whose header was checked and whose payload is whole.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that the payload shows.
    #[inline]
    pub fn decode(header: Header, payload: Bytes) -> Result<Self, Violation> {
        let bits = header.flags;
        let mut reader = Reader::new(payload);
        let Some(kind) = Kind::from_u8(header.kind) else {
            return Ok(Self {
                call: header.call,
                message: Message::Skipped(header.kind),
            });
        };
        let unknown = bits & !kind.flags();
        if unknown != 0 {
            return Err(Violation::Flags {
                kind: header.kind,
                flags: unknown,
            });
        }
        let message = match kind {
            Kind::Hello => Message::Hello(Hello::decode(reader)?),
            Kind::Request => Message::Request(
                RequestHead::decode(bits, &mut reader)?,
                Fragment::decode(bits, reader),
            ),
            Kind::Response => Message::Response(
                ResponseHead::decode(bits, &mut reader)?,
                Fragment::decode(bits, reader),
            ),
            Kind::Error => Message::Error(Outcome::decode(bits, reader)?),
            Kind::Piece => Message::Piece(Fragment::decode(bits, reader)),
            Kind::Item => {
                let fields = Fields::decode_if_flagged(bits, &mut reader)?;
                Message::Item(fields, Fragment::decode(bits, reader))
            }
            Kind::End => Message::End(Outcome::decode(bits, reader)?),
            Kind::Window => {
                Message::Window(alone(reader, header.kind, |reader| reader.u32("window"))?)
            }
            Kind::Cancel => Message::Cancel(cancel::decode(reader)?),
            Kind::Ping => Message::Ping(alone(reader, header.kind, |reader| reader.u64("ping"))?),
            Kind::Pong => Message::Pong(alone(reader, header.kind, |reader| reader.u64("pong"))?),
            Kind::GoAway => Message::GoAway(GoAway::decode(reader)?),
        };
        Ok(Self {
            call: header.call,
            message,
        })
    }
}

impl Message {
    fn kind_and_flags(&self) -> (u8, u8) {
        let (kind, flags) = match self {
            Self::Hello(_) => (Kind::Hello, 0),
            Self::Request(head, body) => (Kind::Request, head.flags() | body.flags()),
            Self::Response(head, body) => (Kind::Response, head.flags() | body.flags()),
            Self::Error(outcome) => (Kind::Error, outcome.fields.flag()),
            Self::Piece(body) => (Kind::Piece, body.flags()),
            Self::Item(fields, body) => (Kind::Item, body.flags() | fields.flag()),
            Self::End(outcome) => (Kind::End, outcome.fields.flag()),
            Self::Window(_) => (Kind::Window, 0),
            Self::Cancel(_) => (Kind::Cancel, 0),
            Self::Ping(_) => (Kind::Ping, 0),
            Self::Pong(_) => (Kind::Pong, 0),
            Self::GoAway(_) => (Kind::GoAway, 0),
            Self::Skipped(kind) => return (*kind, 0),
        };
        (kind as u8, flags)
    }
}

impl Kind {
    /// The flag bits that this kind may have.
    fn flags(self) -> u8 {
        match self {
            Self::Request => RequestHead::FLAGS,
            Self::Response => ResponseHead::FLAGS,
            Self::Error | Self::End => Outcome::FLAGS,
            Self::Piece => flags::MORE,
            Self::Item => flags::MORE | flags::COMPRESSED | flags::FIELDS,
            Self::Hello | Self::Window | Self::Cancel | Self::Ping | Self::Pong | Self::GoAway => 0,
        }
    }
}

/// A payload that is one value and nothing more.
fn alone<T>(
    mut reader: Reader,
    kind: u8,
    read: impl FnOnce(&mut Reader) -> Result<T, Violation>,
) -> Result<T, Violation> {
    let value = read(&mut reader)?;
    reader.finish(kind)?;
    Ok(value)
}
