//! The native protocol, version 1: frames as values, and their bytes.
//!
//! `docs/protocol.md` specifies every byte. Nothing here does I/O or keeps state between frames; what a peer may
//! send when is the business of [`connection`](crate::connection).

mod cancel;
mod codec;
mod decode;
mod fields;
mod frame;
mod goaway;
mod header;
mod hello;
mod kind;
mod outcome;
mod reader;
mod request;
mod response;
mod violation;

pub use self::{
    codec::{Codec, CodecError},
    decode::Decode,
    fields::Fields,
    frame::{Fragment, Frame, Message},
    goaway::{GoAway, Reason},
    header::{HEADER_LEN, Header, MAGIC, TooLarge},
    hello::{Features, Hello, VERSION},
    kind::Kind,
    outcome::Outcome,
    request::{Attempt, Criticality, Names, RequestHead, RouteRef},
    response::ResponseHead,
    violation::{Foreign, Violation},
};
pub(crate) use self::{
    frame::Head, header::flags, outcome::whole_millis, reader::Reader, request::MAX_NAME_LEN,
};

/// The largest payload of one frame unless a limit says otherwise: 8 MiB, as Dubbo has it.
pub const DEFAULT_MAX_FRAME: u32 = 8 * 1024 * 1024;

/// Call ids carry a lane in their highest bits: an independent writer, within which ids strictly increase.
pub const LANES: usize = 16;

/// The lane of a call id.
pub fn lane(call: u64) -> usize {
    usize::from((call >> 60) as u8)
}
