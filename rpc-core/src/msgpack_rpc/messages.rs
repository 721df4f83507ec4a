use bytes::{Buf, BytesMut};

use super::{Message, message::Origin};
use crate::{
    protocol::{Decode, Violation},
    wire::Item,
};

/// Messages out of bytes that have neither lengths nor separators: where one ends is found by walking it, and the walk
/// goes on where it stood when more bytes come.
///
/// ```
/// use bytes::BytesMut;
/// use doge_rpc_core::msgpack_rpc::{Message, Messages};
///
/// let (mut messages, mut bytes) = (Messages::new(1024), BytesMut::new());
/// bytes.extend_from_slice(b"\x94\x00\x01\xa3su");
/// assert!(messages.next(&mut bytes)?.is_none());
/// bytes.extend_from_slice(b"m\x92\x01\x02");
/// let Some(Message::Request { call, .. }) = messages.next(&mut bytes)? else { panic!() };
/// assert_eq!(call.method(), "sum");
/// # Ok::<(), doge_rpc_core::protocol::Violation>(())
/// ```
#[derive(Debug)]
pub struct Messages {
    max_message: usize,
    walk: Walk,
    /// What is known of a message that is too large, whose bytes are dropped as they come.
    dropping: Option<Origin>,
}

/// How far a message was walked.
#[derive(Debug, Default)]
struct Walk {
    /// Bytes from its beginning to the head that is next.
    at: usize,
    /// Values that are still to come at each level that is open.
    open: Vec<usize>,
    begun: bool,
}

/// What a walk came to.
enum Step {
    /// The end of the message.
    End,
    /// The end of what is there, or data that is announced and not there yet.
    More,
}

/// How deep a message may nest before it is no longer walked to its end. Values of a call may nest less deep, for which
/// it gets an answer; this is four times what Python doge can read.
const MAX_OPEN: usize = 2048;

/// How much of a large message has to be there before room for all of it is worth having, in bytes.
const TRUST: usize = 64 * 1024;

impl Messages {
    /// Messages of at most so many bytes.
    pub fn new(max_message: usize) -> Self {
        Self {
            max_message,
            walk: Walk::default(),
            dropping: None,
        }
    }

    /// The next message, when it is whole. One that is too large is not kept, but its end is found all the same.
    ///
    /// # Errors
    ///
    /// The [`Violation`] after which the end of the message cannot be found.
    pub fn next(&mut self, src: &mut BytesMut) -> Result<Option<Message>, Violation> {
        let step = self.walk.go_on(src)?;
        if self.dropping.is_none() && self.walk.at > self.max_message {
            self.dropping = Some(Origin::of(src));
        }
        let Some(dropped) = self.dropping else {
            return Ok(match step {
                Step::More => None,
                Step::End => {
                    let message = src.split_to(self.walk.at);
                    self.walk.begin();
                    Some(Message::parse(message))
                }
            });
        };
        let there = self.walk.at.min(src.len());
        src.advance(there);
        self.walk.at -= there;
        Ok(match step {
            Step::More => None,
            Step::End => {
                self.walk.begin();
                self.dropping = None;
                Some(dropped.invalid(format!(
                    "the message is larger than the {} bytes that are taken",
                    self.max_message
                )))
            }
        })
    }

    /// Whether the message that is coming is larger than what is taken, and dropped as it comes.
    pub fn is_too_large(&self) -> bool {
        self.dropping.is_some()
    }
}

impl Decode for Messages {
    type Frame = Message;

    fn next(&mut self, src: &mut BytesMut) -> Result<Option<Message>, Violation> {
        Self::next(self, src)
    }

    fn missing(&self, src: &[u8]) -> usize {
        if src.len() < TRUST || self.dropping.is_some() {
            return 0;
        }
        self.walk.at.saturating_sub(src.len())
    }

    /// How long the message gets is not known, so twice what is there, that it is moved a few times only.
    fn room(&self, src: &[u8]) -> usize {
        (2 * src.len()).min(self.max_message)
    }

    fn is_partial(&self, src: &[u8]) -> bool {
        !src.is_empty() || self.walk.begun
    }
}

impl Walk {
    fn begin(&mut self) {
        self.at = 0;
        self.begun = false;
    }

    fn go_on(&mut self, src: &[u8]) -> Result<Step, Violation> {
        loop {
            if self.begun && self.open.is_empty() {
                return Ok(if self.at <= src.len() {
                    Step::End
                } else {
                    Step::More
                });
            }
            let Some((&head, after)) = src.get(self.at..).and_then(<[u8]>::split_first) else {
                return Ok(Step::More);
            };
            if head == 0xC1 {
                return Err(Violation::Malformed(
                    "MessagePack: no value begins with 0xc1",
                ));
            }
            let Ok(item) = Item::read(head, after) else {
                return Ok(Step::More);
            };
            if after.len() < item.head_len {
                return Ok(Step::More);
            }
            self.begun = true;
            let head = self.at + 1 + item.head_len;
            self.at = head.saturating_add(item.skip);
            self.enter(item.children)?;
        }
    }

    /// Counts a value, and opens it if others belong to it.
    fn enter(&mut self, children: usize) -> Result<(), Violation> {
        if let Some(left) = self.open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            if self.open.len() == MAX_OPEN {
                return Err(Violation::Malformed("message: it nests too deep"));
            }
            self.open.push(children);
        }
        while self.open.last() == Some(&0) {
            self.open.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{Decode as _, MAX_OPEN, Message, Messages};
    use crate::msgpack_rpc::MsgId;

    const SUM: &[u8] = b"\x94\x00\x01\xa3sum\x93\x80\x01\x02";

    /// All that comes out of these bytes when they come in pieces of this size.
    fn read(bytes: &[u8], piece: usize, max: usize) -> Vec<Message> {
        let (mut messages, mut buffer, mut read) =
            (Messages::new(max), BytesMut::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some(message) = messages.next(&mut buffer).unwrap() {
                read.push(message);
            }
        }
        assert!(!messages.is_partial(&buffer), "{buffer:02x?}");
        read
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let bytes = [
            SUM,
            b"\x93\x02\xa1n\x90",
            b"\x94\x01\xcd\x01\x00\xc0\xdc\x00\x02\xc4\x02ab\xdf\x00\x00\x00\x01\xa1k\xc7\x01\x05z",
            b"\xc0",
            b"\x90",
            SUM,
        ]
        .concat();
        let whole = read(&bytes, bytes.len(), 1024);
        assert_eq!(whole.len(), 6);
        for piece in 1..bytes.len() {
            assert_eq!(
                format!("{:?}", read(&bytes, piece, 1024)),
                format!("{whole:?}")
            );
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_passed_over_and_the_next_one_is_read() {
        let large = [
            b"\x94\x00\x07\xa4echo\x92\x80\xc6\x00\x01\x00\x00".as_slice(),
            &[7; 65536],
        ]
        .concat();
        let bytes = [&large, SUM].concat();
        for piece in [1, 7, 1000, bytes.len()] {
            let read = read(&bytes, piece, 1000);
            assert_eq!(read.len(), 2, "in pieces of {piece}");
            let Message::Invalid { id, why } = &read[0] else {
                panic!("{read:?}")
            };
            assert_eq!(*id, Some(MsgId::from(7_u64)));
            assert_eq!(
                why,
                "the message is larger than the 1000 bytes that are taken"
            );
            assert!(matches!(read[1], Message::Request { .. }));
        }
    }

    #[test]
    fn no_more_is_held_of_what_is_too_large_than_of_what_is_not() {
        let (mut messages, mut buffer) = (Messages::new(1000), BytesMut::new());
        // Four billion elements, and each of them a map.
        buffer.extend_from_slice(b"\x94\x00\x07\xa4echo\xdd\xff\xff\xff\xff");
        for _ in 0..1000 {
            buffer.extend_from_slice(&[0x80; 1000]);
            assert!(messages.next(&mut buffer).unwrap().is_none());
            assert!(buffer.len() <= 1000);
            assert_eq!(messages.missing(&buffer), 0);
            assert!(messages.is_too_large());
        }
        assert!(messages.is_partial(&buffer));
    }

    #[test]
    fn depth_is_bounded_and_what_is_no_message_pack_ends_it() {
        let nested = [vec![0x91; MAX_OPEN], vec![0xC0]].concat();
        assert_eq!(read(&nested, 10, 1 << 20).len(), 1);
        let mut bomb = BytesMut::from(&vec![0x91; MAX_OPEN + 1][..]);
        Messages::new(1 << 20).next(&mut bomb).unwrap_err();
        let mut invalid = BytesMut::from(&b"\x94\x00\xc1"[..]);
        Messages::new(1 << 20).next(&mut invalid).unwrap_err();
    }

    #[test]
    fn room_for_a_large_message_is_made_once_some_of_it_is_there() {
        let (mut messages, mut buffer) = (Messages::new(1 << 20), BytesMut::new());
        buffer.extend_from_slice(b"\x94\x00\x07\xa4echo\x91\xc6\x00\x08\x00\x00");
        assert!(messages.next(&mut buffer).unwrap().is_none());
        assert_eq!(messages.missing(&buffer), 0, "the head costs nothing");
        buffer.extend_from_slice(&[0; 0x1_0000]);
        assert!(messages.next(&mut buffer).unwrap().is_none());
        assert_eq!(messages.missing(&buffer), 0x7_0000);
    }
}
