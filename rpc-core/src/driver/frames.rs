use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use tokio_util::io::poll_read_buf;

use crate::{
    protocol::{Codec, Frame, Violation},
    transport::ReadHalf,
};

/// What a read buffer starts with, in bytes: an idle connection costs no more.
const SMALLEST: usize = 2 * 1024;

/// What it grows to when reads fill it, in bytes.
const LARGEST: usize = 256 * 1024;

/// Reads frames, as many bytes per syscall as there are.
#[derive(Debug)]
pub struct FrameReader {
    half: ReadHalf,
    codec: Codec,
    buffer: BytesMut,
    size: usize,
}

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes; [`FrameReader::next_frame`] has the frames in them.
    Bytes(usize),
    /// The peer has said all it will say.
    End,
}

impl FrameReader {
    /// Frames of at most `max_frame` bytes of payload, out of this stream.
    pub fn new(half: ReadHalf, max_frame: u32) -> Self {
        Self {
            half,
            codec: Codec::new(max_frame, max_frame),
            buffer: BytesMut::new(),
            size: SMALLEST,
        }
    }

    /// Reads once.
    ///
    /// # Errors
    ///
    /// As the stream reports it.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Read>> {
        if self.buffer.is_empty() && self.buffer.capacity() > LARGEST {
            // One large frame blew it up.
            self.buffer = BytesMut::new();
        }
        // Takes the same memory again when all slices of it are gone.
        if self.buffer.capacity() - self.buffer.len() < self.size / 2 {
            self.buffer.reserve(self.size);
        }
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.half),
            cx,
            &mut self.buffer
        ))?;
        if read == room && self.size < LARGEST {
            self.size *= 2;
        }
        Poll::Ready(Ok(if read == 0 {
            Read::End
        } else {
            Read::Bytes(read)
        }))
    }

    /// The next frame of what was read.
    ///
    /// # Errors
    ///
    /// The [`Violation`] that the bytes show.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Violation> {
        self.codec.next(&mut self.buffer)
    }

    /// Whether a frame is there in part.
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }
}
