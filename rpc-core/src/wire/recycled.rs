use std::cell::RefCell;

use bytes::Bytes;

/// Memory of large bodies, used again by whoever writes the next one on the thread that dropped the last.
///
/// Fresh memory of this size costs more than writing to it: the allocator hands it back to the system, and each page
/// of it is a fault when it comes again.
#[derive(Debug)]
struct Recycled(Vec<u8>);

/// Larger ones are not kept, in bytes.
const LARGEST: usize = 2 * 1024 * 1024;

/// Bytes that one thread keeps in all.
const KEPT: usize = 4 * 1024 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer, with memory if some is spare.
pub(super) fn buffer() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// A body whose memory is used again.
pub(super) fn body(buffer: Vec<u8>) -> Bytes {
    Bytes::from_owner(Recycled(buffer))
}

impl AsRef<[u8]> for Recycled {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Recycled {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.0);
        if buffer.capacity() > LARGEST {
            return;
        }
        buffer.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            let kept: usize = spare.iter().map(Vec::capacity).sum();
            if kept + buffer.capacity() <= KEPT {
                spare.push(buffer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LARGEST, SPARE, body, buffer};

    #[test]
    fn memory_comes_back_and_not_too_much_of_it() {
        let large = body(vec![7; LARGEST]);
        assert_eq!(large.len(), LARGEST);
        let clone = large.clone();
        drop(large);
        assert_eq!(buffer().capacity(), 0, "the clone holds it");
        drop(clone);
        let again = buffer();
        assert_eq!((again.len(), again.capacity()), (0, LARGEST));

        drop(body(vec![7; LARGEST + 1]));
        assert_eq!(buffer().capacity(), 0);
        let many: Vec<_> = (0..10).map(|_| body(vec![7; LARGEST])).collect();
        drop(many);
        let kept: usize = SPARE.with_borrow(|spare| spare.iter().map(Vec::capacity).sum());
        assert_eq!(kept, KEPT);
    }
}
