use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes of the header: length of the body (4), tag (1) and slot of the waiter (3), big-endian.
pub const HEADER_LEN: usize = 8;

/// Whole frames, one after the other.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

/// One frame by reference.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// What the body is.
    pub tag: u8,
    /// The waiter that the answer is for.
    pub slot: u32,
    /// The body.
    pub body: &'a [u8],
}

/// The front of a frame.
struct Header {
    length: usize,
    tag: u8,
    slot: u32,
}

impl<'a> Frames<'a> {
    /// The frames in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes at the front of `bytes` are whole frames.
    pub(super) fn whole(bytes: &[u8]) -> usize {
        let mut frames = Frames::new(bytes);
        frames.by_ref().for_each(drop);
        bytes.len() - frames.rest.len()
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let Header { length, tag, slot } = Header::peek(self.rest)?;
        let (body, rest) = self.rest[HEADER_LEN..].split_at_checked(length)?;
        self.rest = rest;
        Some(Frame { tag, slot, body })
    }
}

impl Header {
    fn peek(bytes: &[u8]) -> Option<Self> {
        let [l0, l1, l2, l3, tag, s0, s1, s2] = *bytes.first_chunk::<HEADER_LEN>()?;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        Some(Self {
            length,
            tag,
            slot: u32::from_be_bytes([0, s0, s1, s2]),
        })
    }
}

/// Writes a header.
pub fn put_header(buffer: &mut impl BufMut, length: usize, tag: u8, slot: u32) {
    buffer.put_u32(length as u32);
    buffer.put_u32(u32::from(tag) << 24 | slot);
}

/// Takes the next frame out, if it is whole: its slot and its body.
pub(super) fn split_frame(buffer: &mut BytesMut) -> Option<(u32, Bytes)> {
    let Header { length, slot, .. } = Header::peek(buffer)?;
    if buffer.len() < HEADER_LEN + length {
        return None;
    }
    buffer.advance(HEADER_LEN);
    Some((slot, buffer.split_to(length).freeze()))
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut as _, BytesMut};

    use super::{Frames, put_header, split_frame};

    #[test]
    fn only_whole_frames_come_out() {
        let mut bytes = BytesMut::new();
        put_header(&mut bytes, 3, 1, 70_000);
        bytes.put_slice(b"one");
        let whole = bytes.len();
        put_header(&mut bytes, 3, 0, 2);
        bytes.put_slice(b"tw");

        assert_eq!(Frames::whole(&bytes), whole);
        let frame = Frames::new(&bytes).next().unwrap();
        assert_eq!(
            (frame.tag, frame.slot, frame.body),
            (1, 70_000, &b"one"[..])
        );
        let (slot, body) = split_frame(&mut bytes).unwrap();
        assert_eq!((slot, &body[..]), (70_000, &b"one"[..]));
        assert!(split_frame(&mut bytes).is_none());
    }
}
