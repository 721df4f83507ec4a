use std::{
    collections::VecDeque,
    io::{self, IoSlice},
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::net::tcp::OwnedWriteHalf;

use super::frame::{HEADER_LEN, put_header};

/// Bodies of this many bytes and more go by reference.
const BY_REFERENCE: usize = 8 * 1024;

/// Bytes of the buffer that frames are gathered in.
const CHUNK: usize = 64 * 1024;

/// Segments that one write takes.
const SLICES: usize = 64;

/// Frames that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    segments: VecDeque<Bytes>,
    tail: BytesMut,
}

/// Frames that are being written.
#[derive(Debug, Default)]
pub(super) struct Batch {
    segments: VecDeque<Bytes>,
}

impl Outgoing {
    pub(super) fn push(&mut self, slot: u32, tag: u8, body: Bytes) {
        if self.tail.capacity() - self.tail.len() < HEADER_LEN + body.len().min(BY_REFERENCE) {
            self.tail.reserve(CHUNK);
        }
        put_header(&mut self.tail, body.len(), tag, slot);
        if body.len() < BY_REFERENCE {
            self.tail.extend_from_slice(&body);
        } else {
            self.segments.push_back(self.tail.split().freeze());
            self.segments.push_back(body);
        }
    }

    /// Moves all frames into an empty batch; `false` when there are none.
    pub(super) fn take(&mut self, batch: &mut Batch) -> bool {
        std::mem::swap(&mut self.segments, &mut batch.segments);
        if !self.tail.is_empty() {
            batch.segments.push_back(self.tail.split().freeze());
        }
        !batch.is_empty()
    }
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Writes until all is written or the socket takes no more.
    pub(super) fn try_write(&mut self, socket: &OwnedWriteHalf) -> io::Result<()> {
        while !self.is_empty() {
            let written = if let [only] = self.segments.make_contiguous() {
                socket.try_write(only)
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let used = self.segments.len().min(SLICES);
                slices
                    .iter_mut()
                    .zip(&self.segments)
                    .for_each(|(slice, segment)| *slice = IoSlice::new(segment));
                socket.try_write_vectored(&slices[..used])
            };
            self.advance(written?);
        }
        Ok(())
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
