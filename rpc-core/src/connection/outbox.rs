use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::AsyncWrite;

use crate::{
    protocol::{Frame, Head, Message, TooLarge},
    wire::BY_REFERENCE,
};

/// A buffer that grew past this is given back once it is empty.
const KEEP: usize = 64 * 1024;

/// Frames that wait to be written, as few segments of bytes.
///
/// It also counts what has left: a call whose frame was not written to its last byte cannot have run.
#[derive(Debug, Default)]
pub struct Outbox {
    segments: VecDeque<Bytes>,
    tail: BytesMut,
    appended: u64,
    written: u64,
    claimed: bool,
}

impl Outbox {
    /// Appends a frame; returns the position of the stream right after it.
    ///
    /// # Errors
    ///
    /// When its payload is over the limit; nothing is appended then.
    pub fn push(&mut self, frame: &Frame, max_frame: u32) -> Result<u64, TooLarge> {
        self.append(|tail| frame.encode_all_but_body(tail, max_frame))
    }

    /// Appends a request or an answer whose owner keeps the body; otherwise like [`push`](Self::push).
    pub(super) fn push_with_body(
        &mut self,
        call: u64,
        head: &impl Head,
        body: &Bytes,
        max_frame: u32,
    ) -> Result<u64, TooLarge> {
        self.append(|tail| {
            head.encode_frame(tail, call, body.len(), max_frame)
                .map(|()| body)
        })
    }

    /// Appends what `head` writes, and then a value, whose owner keeps it.
    pub(crate) fn push_value(&mut self, head: impl FnOnce(&mut BytesMut), value: &Bytes) {
        let appended = self.append(|tail| {
            head(tail);
            Ok(value)
        });
        debug_assert!(appended.is_ok(), "nothing is too large here");
    }

    /// Appends what `encode` writes, and then the body that it returns.
    #[inline]
    fn append<'body>(
        &mut self,
        encode: impl FnOnce(&mut BytesMut) -> Result<&'body Bytes, TooLarge>,
    ) -> Result<u64, TooLarge> {
        let before = self.tail.len();
        let body = encode(&mut self.tail)?;
        let added = self.tail.len() - before + body.len();
        if body.len() < BY_REFERENCE {
            self.tail.extend_from_slice(body);
        } else {
            self.segments.push_back(self.tail.split().freeze());
            self.segments.push_back(body.clone());
        }
        self.appended += added as u64;
        Ok(self.appended)
    }

    /// Appends a frame of the connection itself or a status, which every peer has room for.
    pub(super) fn push_small(&mut self, call: u64, message: Message) {
        let fits = self.push(&Frame { call, message }, u32::MAX);
        debug_assert!(fits.is_ok(), "small frames are below any limit");
    }

    /// Bytes that have not left this process.
    pub fn unwritten(&self) -> usize {
        usize::try_from(self.appended - self.written).unwrap_or(usize::MAX)
    }

    /// Whether all bytes up to this position have left.
    pub fn has_left(&self, position: u64) -> bool {
        self.written >= position
    }

    /// Makes the caller responsible for writing, unless somebody is already or there is nothing to write.
    pub fn claim(&mut self) -> bool {
        let free = !self.claimed && self.has_frames();
        self.claimed |= free;
        free
    }

    /// Whether somebody is responsible for writing.
    pub fn is_claimed(&self) -> bool {
        self.claimed
    }

    /// Moves all frames into an empty batch; when there are none, whoever writes is no longer responsible.
    pub fn take(&mut self, batch: &mut Batch) -> bool {
        if !self.go_on() {
            return false;
        }
        std::mem::swap(&mut self.segments, &mut batch.segments);
        if !self.tail.is_empty() {
            batch.segments.push_back(self.tail.split().freeze());
            if self.tail.capacity() > KEEP {
                self.tail = BytesMut::new();
            }
        }
        true
    }

    /// Whether frames wait; when there are none, whoever writes is no longer responsible.
    pub fn go_on(&mut self) -> bool {
        self.claimed = self.has_frames();
        self.claimed
    }

    /// Counts bytes that have left.
    pub fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    fn has_frames(&self) -> bool {
        !self.tail.is_empty() || !self.segments.is_empty()
    }
}

/// What one writer has taken and is writing.
#[derive(Debug, Default)]
pub struct Batch {
    segments: VecDeque<Bytes>,
}

impl Batch {
    /// Segments that one `writev` takes.
    const SLICES: usize = 64;

    /// Whether all of it is written.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Writes once, as much as the stream takes, and tells how much that was.
    pub fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(stream);
        let written = match self.segments.len() {
            0 => return Poll::Ready(Ok(0)),
            1 => std::task::ready!(stream.poll_write(cx, &self.segments[0]))?,
            _ => {
                let mut slices = [IoSlice::new(&[]); Self::SLICES];
                for (slice, segment) in slices.iter_mut().zip(&self.segments) {
                    *slice = IoSlice::new(segment);
                }
                let used = self.segments.len().min(Self::SLICES);
                std::task::ready!(stream.poll_write_vectored(cx, &slices[..used]))?
            }
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.advance(written);
        Poll::Ready(Ok(written))
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(segment) = self.segments.front_mut() {
            if written < segment.len() {
                segment.advance(written);
                return;
            }
            written -= segment.len();
            self.segments.pop_front();
        }
    }
}
