/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// First frame of each side: versions, features, limits.
    Hello = 0x01,
    /// A call: route, remaining time, arguments.
    Request = 0x02,
    /// The answer that a handler gave.
    Response = 0x03,
    /// Why there is no answer.
    Error = 0x04,
    /// The next piece of a body that was cut.
    Piece = 0x05,
    /// One item of a stream.
    Item = 0x06,
    /// The end of a stream, and how it ended.
    End = 0x07,
    /// Room for more bytes.
    Window = 0x08,
    /// The caller gave the call up.
    Cancel = 0x09,
    /// Are you there?
    Ping = 0x0A,
    /// I am.
    Pong = 0x0B,
    /// No more calls on this connection.
    GoAway = 0x0C,
}

impl Kind {
    /// Kinds in this range may be skipped by a peer that does not know them; all others are an error.
    pub const OPTIONAL: std::ops::RangeInclusive<u8> = 0x40..=0x7F;

    /// The kind of this number.
    pub fn from_u8(number: u8) -> Option<Self> {
        Some(match number {
            0x01 => Self::Hello,
            0x02 => Self::Request,
            0x03 => Self::Response,
            0x04 => Self::Error,
            0x05 => Self::Piece,
            0x06 => Self::Item,
            0x07 => Self::End,
            0x08 => Self::Window,
            0x09 => Self::Cancel,
            0x0A => Self::Ping,
            0x0B => Self::Pong,
            0x0C => Self::GoAway,
            _ => return None,
        })
    }
}
