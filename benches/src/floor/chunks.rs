use bytes::BytesMut;

/// Bytes that one read takes at most.
const CHUNK: usize = 256 * 1024;

/// Chunks that are kept.
const KEPT: usize = 16;

/// Memory to read into, used again once all slices of it are dropped.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    kept: Vec<BytesMut>,
}

impl Chunks {
    /// Sees to it that `buffer` has room, if need be by moving what is in it to another chunk.
    pub(super) fn make_room(&mut self, buffer: &mut BytesMut) {
        if buffer.capacity() - buffer.len() >= CHUNK / 2 || buffer.try_reclaim(CHUNK / 2) {
            return;
        }
        let free = self
            .kept
            .iter_mut()
            .find_map(|kept| kept.try_reclaim(CHUNK).then(|| std::mem::take(kept)));
        let mut chunk = free.unwrap_or_else(|| BytesMut::with_capacity(CHUNK));
        chunk.extend_from_slice(buffer);
        buffer.clear();
        let used = std::mem::replace(buffer, chunk);
        self.kept.retain(|kept| kept.capacity() > 0);
        if self.kept.len() < KEPT {
            self.kept.push(used);
        }
    }
}
