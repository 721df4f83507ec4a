use bytes::{BufMut, BytesMut};

use super::{Fields, Head, Kind, Reader, Violation, flags, outcome::cut};

/// What stands in front of a call's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// Which method is called.
    pub route: RouteRef,
    /// Time that is left to the call, in milliseconds.
    pub timeout: u32,
    /// Which attempt this is, and how much the call matters.
    pub attempt: Attempt,
    /// No answer is wanted.
    pub one_way: bool,
    /// Stream items of the caller follow.
    pub stream: bool,
    /// Optional parts: metadata, the window for stream items of the answer.
    pub fields: Fields,
}

/// A method as a request names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteRef {
    /// By the number that it was given before on this connection.
    Known(u16),
    /// By name, which gives it that number from now on; 0 gives it none.
    Named(u16, Names),
}

/// The names of a route, each at most 255 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Names {
    /// The service.
    pub service: Box<str>,
    /// The method.
    pub method: Box<str>,
}

/// Which attempt of a call this is, and how much the call matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// 0 for the first, counted up by each further one; 15 stands for more.
    pub number: u8,
    /// Somewhere up the chain this is a retry already, so nobody further down may retry.
    pub retry: bool,
    /// How much the call matters when not all can be served.
    pub criticality: Criticality,
}

/// How much a call matters, as Google's SRE book grades it; the least is shed first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Criticality {
    /// May fail often or for long.
    Sheddable = 0,
    /// Partly unavailable is expected: batch work.
    SheddablePlus = 1,
    /// What users see.
    #[default]
    Critical = 2,
    /// What must not fail.
    CriticalPlus = 3,
}

impl Criticality {
    fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Sheddable,
            1 => Self::SheddablePlus,
            2 => Self::Critical,
            _ => Self::CriticalPlus,
        }
    }
}

/// Attempt byte: bits 0 to 3 number, bit 4 retry, bits 5 and 6 criticality.
impl Attempt {
    pub(crate) const MAX_NUMBER: u8 = 15;
    const RETRY: u8 = 0x10;

    fn to_byte(self) -> u8 {
        self.number.min(Self::MAX_NUMBER)
            | if self.retry { Self::RETRY } else { 0 }
            | ((self.criticality as u8) << 5)
    }

    fn from_byte(byte: u8) -> Self {
        Self {
            number: byte & Self::MAX_NUMBER,
            retry: byte & Self::RETRY != 0,
            criticality: Criticality::from_bits(byte >> 5),
        }
    }
}

impl Head for RequestHead {
    const KIND: Kind = Kind::Request;

    fn flags(&self) -> u8 {
        let mut bits = 0;
        if matches!(self.route, RouteRef::Named(..)) {
            bits |= flags::NAMED;
        }
        if self.one_way {
            bits |= flags::ONE_WAY;
        }
        if self.stream {
            bits |= flags::STREAM;
        }
        bits | self.fields.flag()
    }

    fn encode(&self, dst: &mut BytesMut) {
        let number = match self.route {
            RouteRef::Known(number) | RouteRef::Named(number, _) => number,
        };
        let ([n0, n1], [t0, t1, t2, t3]) = (number.to_be_bytes(), self.timeout.to_be_bytes());
        dst.put_slice(&[n0, n1, self.attempt.to_byte(), 0, t0, t1, t2, t3]);
        if let RouteRef::Named(_, names) = &self.route {
            put_name(dst, &names.service);
            put_name(dst, &names.method);
        }
        self.fields.encode_unless_empty(dst);
    }
}

impl RequestHead {
    pub(crate) const FLAGS: u8 = flags::MORE
        | flags::COMPRESSED
        | flags::FIELDS
        | flags::NAMED
        | flags::ONE_WAY
        | flags::STREAM;

    #[inline]
    pub(crate) fn decode(flags: u8, reader: &mut Reader) -> Result<Self, Violation> {
        let number = reader.u16("request head")?;
        let attempt = Attempt::from_byte(reader.u8("request head")?);
        reader.u8("request head")?;
        let timeout = reader.u32("request head")?;
        let route = if flags & flags::NAMED != 0 {
            let (service, method) = (name(reader, "service name")?, name(reader, "method name")?);
            RouteRef::Named(number, Names { service, method })
        } else {
            RouteRef::Known(number)
        };
        let fields = Fields::decode_if_flagged(flags, reader)?;
        Ok(Self {
            route,
            timeout,
            attempt,
            one_way: flags & flags::ONE_WAY != 0,
            stream: flags & flags::STREAM != 0,
            fields,
        })
    }
}

/// The longest service or method name, in bytes.
pub(crate) const MAX_NAME_LEN: usize = 255;

/// Names are checked where a route is made; a longer one by other ways is cut where a character ends.
fn put_name(dst: &mut BytesMut, name: &str) {
    let name = cut(name, MAX_NAME_LEN);
    dst.put_u8(name.len() as u8);
    dst.put_slice(name.as_bytes());
}

fn name(reader: &mut Reader, what: &'static str) -> Result<Box<str>, Violation> {
    let length = usize::from(reader.u8(what)?);
    reader.text(length, what)
}
