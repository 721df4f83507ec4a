use bytes::{Buf, BytesMut};
use thiserror::Error;
use tokio_util::codec::{Decoder, Encoder};

use super::{DEFAULT_MAX_FRAME, Frame, HEADER_LEN, Header, Violation, header::TooLarge};

/// Frames out of bytes and bytes out of frames, for a [`Framed`](tokio_util::codec::Framed) or by hand.
///
/// ```
/// use bytes::BytesMut;
/// use doge_rpc_core::protocol::{Codec, Frame, Message};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let (mut codec, mut bytes) = (Codec::default(), BytesMut::new());
/// let ping = Frame { call: 0, message: Message::Ping(7) };
/// codec.encode(ping.clone(), &mut bytes)?;
/// assert_eq!(codec.decode(&mut bytes)?, Some(ping));
/// # Ok::<(), doge_rpc_core::protocol::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Codec {
    max_received: u32,
    max_sent: u32,
}

/// A frame that does not go through.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The peer broke the protocol.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// Our own frame is over the limit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The bytes stopped.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// How much of a large frame has to be there before its whole length is reserved, in bytes. Until then the buffer
/// grows with what arrives, so that a header alone, which costs its sender nothing, costs us nothing.
const TRUST: usize = 64 * 1024;

impl Codec {
    /// A codec that takes and sends payloads of at most so many bytes.
    pub fn new(max_received: u32, max_sent: u32) -> Self {
        Self {
            max_received,
            max_sent,
        }
    }

    /// The next frame, when it is whole.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that the bytes show, as early as they show it.
    #[inline]
    pub fn next(&self, src: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        let Some(header) = Header::peek(src, self.max_received)? else {
            return Ok(None);
        };
        if src.len() < HEADER_LEN + header.length as usize {
            return Ok(None);
        }
        src.advance(HEADER_LEN);
        Frame::decode(header, src.split_to(header.length as usize).freeze()).map(Some)
    }

    /// How many bytes are missing of a frame of which so much is there that room for all of it is worth having, or 0.
    pub(crate) fn missing(&self, src: &[u8]) -> usize {
        if src.len() < TRUST {
            return 0;
        }
        match Header::peek(src, self.max_received) {
            Ok(Some(header)) => (HEADER_LEN + header.length as usize).saturating_sub(src.len()),
            _ => 0,
        }
    }
}

impl Default for Codec {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_FRAME, DEFAULT_MAX_FRAME)
    }
}

impl Decoder for Codec {
    type Item = Frame;
    type Error = CodecError;

    fn decode(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
        let frame = self.next(src)?;
        if frame.is_none() {
            src.reserve(self.missing(src));
        }
        Ok(frame)
    }
}

impl Encoder<Frame> for Codec {
    type Error = CodecError;

    fn encode(&mut self, frame: Frame, dst: &mut BytesMut) -> Result<(), CodecError> {
        Ok(frame.encode(dst, self.max_sent)?)
    }
}
