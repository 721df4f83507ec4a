use bytes::BytesMut;

/// Memory to read into, used again once all slices of it are dropped.
///
/// A `BytesMut` alone takes its memory back only if all slices are gone at the moment at which it runs out, and is given
/// fresh memory otherwise; with large bodies in flight that is nearly always.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// Bytes of the chunk that is being read into.
    size: usize,
    /// Those that were read to their end, with their sizes, the oldest first; slices of them may still be held.
    used: Vec<(usize, BytesMut)>,
    /// Bytes of them all.
    kept: usize,
}

/// Bytes of used chunks that one connection keeps.
const KEPT: usize = 4 * 1024 * 1024;

impl Chunks {
    /// Sees to it that `buffer` has room for `least` bytes more, if need be by moving what is in it to another chunk,
    /// which is of `usual` bytes or more.
    pub(super) fn make_room(&mut self, buffer: &mut BytesMut, least: usize, usual: usize) {
        if buffer.capacity() - buffer.len() >= least || buffer.try_reclaim(least) {
            return;
        }
        let wanted = buffer.len() + least;
        let is_free = |(_, chunk): &mut (usize, BytesMut)| chunk.try_reclaim(wanted);
        let (size, mut chunk) = match self.used.iter_mut().position(is_free) {
            Some(place) => self.take(place),
            None => {
                let size = wanted.max(usual);
                (size, BytesMut::with_capacity(size))
            }
        };
        chunk.extend_from_slice(buffer);
        let mut used = std::mem::replace(buffer, chunk);
        used.clear();
        self.keep(used);
        self.size = size;
    }

    /// Bytes of those that were read to their end.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Forgets all that were read to their end.
    pub(super) fn clear(&mut self) {
        self.used = Vec::new();
        self.kept = 0;
    }

    /// Keeps the chunk that was read to its end, and drops the oldest where that is too much.
    fn keep(&mut self, chunk: BytesMut) {
        self.used.push((self.size, chunk));
        self.kept += self.size;
        while self.kept > KEPT {
            self.take(0);
        }
    }

    fn take(&mut self, place: usize) -> (usize, BytesMut) {
        let (size, chunk) = self.used.remove(place);
        self.kept -= size;
        (size, chunk)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut as _, BytesMut};

    use super::{Chunks, KEPT};

    #[test]
    fn a_chunk_is_used_again_once_its_slices_are_gone() {
        let (mut chunks, mut buffer) = (Chunks::default(), BytesMut::new());
        let mut place = |held: &mut Vec<BytesMut>| {
            chunks.make_room(&mut buffer, 500, 1000);
            let place = buffer.as_ptr();
            buffer.put_bytes(7, 900);
            held.push(buffer.split_to(900));
            place
        };
        let mut held = Vec::new();
        let first = place(&mut held);
        let second = place(&mut held);
        assert_ne!(first, second, "a slice of the first is held");
        held.clear();
        assert_eq!(place(&mut held), second, "nobody else has it");
        assert_eq!(place(&mut held), first, "it was kept");
    }

    #[test]
    fn what_is_there_in_part_moves_along() {
        let (mut chunks, mut buffer) = (Chunks::default(), BytesMut::new());
        chunks.make_room(&mut buffer, 10, 10);
        buffer.put_slice(b"0123456789");
        let _held = buffer.split_to(4);
        chunks.make_room(&mut buffer, 100, 10);
        assert_eq!(buffer, b"456789"[..]);
        assert!(buffer.capacity() >= 106);
    }

    #[test]
    fn no_more_is_kept_than_that() {
        let (mut chunks, mut buffer) = (Chunks::default(), BytesMut::new());
        let mut held = Vec::new();
        for _ in 0..20 {
            chunks.make_room(&mut buffer, KEPT / 4, KEPT / 4);
            buffer.put_bytes(7, KEPT / 4);
            held.push(buffer.split());
        }
        assert_eq!(chunks.kept(), KEPT);
        chunks.clear();
        assert!(chunks.used.is_empty());
    }
}
