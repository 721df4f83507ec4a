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
    protocol::{Codec, Decode, Violation},
    transport::ReadHalf,
};

/// What a read buffer starts with, in bytes: an idle connection costs no more.
const SMALLEST: usize = 1024;

/// What it grows to when reads fill it, in bytes.
const LARGEST: usize = 512 * 1024;

/// What a connection keeps of it that rests, in bytes.
const LARGEST_AT_REST: usize = 16 * 1024;

/// A connection on which nothing came for so long gives the memory of its reads back.
const QUIET: Duration = Duration::from_secs(10);

/// Reads frames of either dialect, as many bytes per syscall as there are.
#[derive(Debug)]
pub struct FrameReader<D = Codec> {
    half: ReadHalf,
    decoder: D,
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

impl<D: Decode> FrameReader<D> {
    /// Frames as this decoder reads them, out of this stream.
    pub fn new(half: ReadHalf, decoder: D, now: Instant) -> Self {
        Self {
            half,
            decoder,
            buffer: BytesMut::new(),
            chunks: Chunks::default(),
            size: SMALLEST,
            last: now,
        }
    }

    /// The same, when these bytes were read already.
    #[must_use]
    pub fn after(mut self, read: BytesMut) -> Self {
        self.buffer = read;
        self
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
        let missing = self.decoder.missing(&self.buffer);
        let usual = self.size.max(self.decoder.room(&self.buffer));
        self.chunks
            .make_room(&mut self.buffer, missing.max(self.size / 2), usual);
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
    pub fn next_frame(&mut self) -> Result<Option<D::Frame>, Violation> {
        self.decoder.next(&mut self.buffer)
    }

    /// Whether there is nothing that was not asked for at this moment: neither bytes nor the end of the stream. For a
    /// connection on which one frame is read at a time; one that is not quiet cannot be used any more.
    pub fn is_quiet(&mut self) -> bool {
        !self.is_partial() && self.half.is_quiet()
    }

    /// Drops what was read: nothing of it is wanted any more.
    pub fn discard(&mut self) {
        self.buffer.clear();
    }

    /// How frames are read.
    pub fn decoder(&self) -> &D {
        &self.decoder
    }

    /// Gives back what a large frame needed, for a connection that rests until the next one is wanted.
    pub fn rest(&mut self) {
        if self.holds_much() {
            self.give_memory_back();
        }
    }

    /// Gives back what the connection needed while it was busy, if it has been quiet since, and says when to look again;
    /// `None` when there is nothing to give back. For a connection on which nothing may come for days, not even a ping.
    pub fn rest_when_quiet(&mut self, now: Instant) -> Option<Instant> {
        if !self.holds_much() {
            return None;
        }
        let quiet = self.last + QUIET;
        if now < quiet {
            return Some(quiet);
        }
        self.give_memory_back();
        None
    }

    fn holds_much(&self) -> bool {
        self.buffer.capacity() > LARGEST_AT_REST
            || self.size > LARGEST_AT_REST
            || self.chunks.kept() > LARGEST_AT_REST
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
        self.decoder.is_partial(&self.buffer)
    }

    /// How many bytes there are of a frame that is there in part.
    pub fn partial_bytes(&self) -> Option<usize> {
        self.is_partial().then_some(self.buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use tokio::{io::AsyncWriteExt as _, time::Instant};

    use super::{FrameReader, LARGEST_AT_REST, QUIET, Read};
    use crate::{msgpack_rpc::Messages, transport::memory};

    /// Which would be copied as often as there are pieces otherwise: seconds of work for little to send.
    #[tokio::test]
    async fn a_large_message_of_many_values_is_moved_a_few_times_only_however_small_its_pieces_are()
    {
        let (ours, theirs) = memory::pair(1024);
        let ((half, _write), (_read, mut peer)) = (ours.split(), theirs.split());
        let now = Instant::now();
        let mut reader = FrameReader::new(half, Messages::new(1 << 26), now);
        peer.write_all(b"\x94\x00\x01\xa1m\xdd\x00\x10\x00\x00")
            .await
            .unwrap();
        let (mut moves, mut place) = (0, reader.buffer.as_ptr());
        let mut cx = Context::from_waker(Waker::noop());
        while reader.next_frame().unwrap().is_none() {
            let read = reader.poll_read(&mut cx, now);
            assert!(matches!(read, Poll::Ready(Ok(Read::Bytes(_)))), "{read:?}");
            moves += u32::from(std::mem::replace(&mut place, reader.buffer.as_ptr()) != place);
            peer.write_all(&[0xC0; 256]).await.unwrap();
        }
        assert!(moves < 30, "{moves} moves");
    }

    #[tokio::test]
    async fn what_a_large_message_needed_is_given_back_once_the_connection_is_quiet() {
        let (ours, theirs) = memory::pair(1 << 20);
        let ((half, _write), (_read, mut peer)) = (ours.split(), theirs.split());
        let now = Instant::now();
        let mut reader = FrameReader::new(half, Messages::new(1 << 26), now);
        assert_eq!(reader.rest_when_quiet(now), None);
        let mut large = b"\x94\x00\x01\xa1m\x91\xc6\x00\x08\x00\x00".to_vec();
        large.resize(large.len() + 0x8_0000, 7);
        peer.write_all(&large).await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        while reader.next_frame().unwrap().is_none() {
            let read = reader.poll_read(&mut cx, now);
            assert!(matches!(read, Poll::Ready(Ok(Read::Bytes(_)))), "{read:?}");
        }
        assert!(reader.poll_read(&mut cx, now).is_pending());
        assert!(reader.buffer.capacity() + reader.chunks.kept() > LARGEST_AT_REST);
        let quiet = now + QUIET;
        assert_eq!(reader.rest_when_quiet(now), Some(quiet));
        assert_eq!(reader.rest_when_quiet(quiet), None);
        assert_eq!(reader.buffer.capacity() + reader.chunks.kept(), 0);
    }
}
