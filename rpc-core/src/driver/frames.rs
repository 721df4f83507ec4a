use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use super::chunks::Chunks;
use crate::{
    protocol::{Codec, Frame, Violation},
    transport::ReadHalf,
};

/// What a read buffer starts with, in bytes: an idle connection costs no more.
const SMALLEST: usize = 1024;

/// What it grows to when reads fill it, in bytes.
const LARGEST: usize = 512 * 1024;

/// A connection on which nothing came for so long gives the memory of its reads back.
const QUIET: Duration = Duration::from_secs(10);

/// Reads frames, as many bytes per syscall as there are.
#[derive(Debug)]
pub struct FrameReader {
    half: ReadHalf,
    codec: Codec,
    buffer: BytesMut,
    chunks: Chunks,
    size: usize,
    /// When the last read was.
    last: Instant,
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
    pub fn new(half: ReadHalf, max_frame: u32, now: Instant) -> Self {
        Self {
            half,
            codec: Codec::new(max_frame, max_frame),
            buffer: BytesMut::new(),
            chunks: Chunks::default(),
            size: SMALLEST,
            last: now,
        }
    }

    /// Reads once.
    ///
    /// # Errors
    ///
    /// As the stream reports it.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<Read>> {
        if now.saturating_duration_since(self.last) > QUIET {
            self.give_memory_back();
        }
        let missing = self.codec.missing(&self.buffer);
        self.chunks
            .make_room(&mut self.buffer, missing.max(self.size / 2), self.size);
        let room = self.buffer.capacity() - self.buffer.len();
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.half),
            cx,
            &mut self.buffer
        ))?;
        self.last = now;
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

    /// What the connection needed while it was busy, now that it has not been for a while.
    fn give_memory_back(&mut self) {
        self.chunks.clear();
        self.size = SMALLEST;
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    /// Whether a frame is there in part.
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }
}
