use bytes::BytesMut;

use super::{Codec, Frame, Violation};

/// How a dialect is read: what comes out of its bytes.
pub trait Decode {
    /// What comes out of the bytes.
    type Frame;

    /// The next frame, when it is whole.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that the bytes show.
    fn next(&mut self, src: &mut BytesMut) -> Result<Option<Self::Frame>, Violation>;

    /// How many bytes are missing of a frame for which it is worth to make room at once, or 0.
    fn missing(&self, src: &[u8]) -> usize;

    /// How much room in all a frame that is there in part should have once it moves to fresh memory, for a dialect whose
    /// frames do not say how long they are; otherwise 0.
    fn room(&self, _src: &[u8]) -> usize {
        0
    }

    /// Whether a frame is there in part.
    fn is_partial(&self, src: &[u8]) -> bool {
        !src.is_empty()
    }
}

impl Decode for Codec {
    type Frame = Frame;

    #[inline]
    fn next(&mut self, src: &mut BytesMut) -> Result<Option<Frame>, Violation> {
        Self::next(self, src)
    }

    fn missing(&self, src: &[u8]) -> usize {
        Self::missing(self, src)
    }
}
