use std::fmt;

use bytes::{Bytes, BytesMut};

use super::MsgId;
use crate::{
    protocol::MAX_NAME_LEN,
    wire::{array, value_len},
};

/// What one peer says to the other.
#[derive(Debug)]
pub enum Message {
    /// `[0, id, method, params]`.
    Request {
        /// What the answer is known by.
        id: MsgId,
        /// What is called.
        call: Call,
    },
    /// `[2, method, params]`: a call that wants no answer.
    Notification {
        /// What is called.
        call: Call,
    },
    /// `[1, id, error, result]`.
    Answer {
        /// That of the request.
        id: MsgId,
        /// Nil, or why there is no result, as MessagePack.
        error: Bytes,
        /// The result, as MessagePack.
        result: Bytes,
    },
    /// A notification that cannot be read. Whatever is wrong with it, it gets no answer.
    InvalidNotification {
        /// What is wrong with it.
        why: String,
    },
    /// A value that is none of these.
    Invalid {
        /// The number of the request that it seems to be, if that much can be read.
        id: Option<MsgId>,
        /// What is wrong with it.
        why: String,
    },
}

/// A method and its params, as they came.
pub struct Call {
    message: BytesMut,
    place: Place,
}

/// A service, a method and what divides them, in bytes.
const LONGEST_METHOD: usize = 2 * MAX_NAME_LEN + 1;

const REQUEST: u8 = 0;
const ANSWER: u8 = 1;
const NOTIFICATION: u8 = 2;

impl Message {
    /// The number of the request that it is, or that it is the answer to.
    pub fn id(&self) -> Option<MsgId> {
        match self {
            Self::Request { id, .. } | Self::Answer { id, .. } => Some(*id),
            Self::Invalid { id, .. } => *id,
            Self::Notification { .. } | Self::InvalidNotification { .. } => None,
        }
    }

    /// Takes a whole MessagePack value apart.
    pub(super) fn parse(message: BytesMut) -> Self {
        match Parts::of(&message) {
            Ok(Parts::Request(id, place)) => Self::Request {
                id,
                call: Call { message, place },
            },
            Ok(Parts::Notification(place)) => Self::Notification {
                call: Call { message, place },
            },
            Ok(Parts::Answer { id, error, result }) => {
                let message = message.freeze();
                Self::Answer {
                    id,
                    error: message.slice(error..result),
                    result: message.slice(result..),
                }
            }
            Err(why) => Origin::of(&message).invalid(why.into()),
        }
    }
}

/// What can be told from the beginning of a message that cannot be read as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    Notification,
    /// A request, with its number if that can be read, or anything else.
    Other(Option<MsgId>),
}

impl Origin {
    pub(super) fn of(message: &[u8]) -> Self {
        match array(message).and_then(|(_, rest)| kind(rest)) {
            Some((NOTIFICATION, _)) => Self::Notification,
            Some((REQUEST, rest)) => Self::Other(MsgId::read(rest).map(|(id, _)| id)),
            _ => Self::Other(None),
        }
    }

    pub(super) fn invalid(self, why: String) -> Message {
        match self {
            Self::Notification => Message::InvalidNotification { why },
            Self::Other(id) => Message::Invalid { id, why },
        }
    }
}

/// What kind of message it is, and what follows that.
fn kind(mut bytes: &[u8]) -> Option<(u8, &[u8])> {
    let kind = rmp::decode::read_int(&mut bytes).ok()?;
    Some((kind, bytes))
}

/// Where the parts of a message are in it.
enum Parts {
    Request(MsgId, Place),
    Notification(Place),
    Answer {
        id: MsgId,
        error: usize,
        result: usize,
    },
}

/// Where method and params of a call are.
struct Place {
    /// Where the method begins and ends.
    method: (usize, usize),
    /// Where the params begin, which are an array and reach to the end.
    params: usize,
    /// How many there are.
    count: u32,
}

const NO_MESSAGE: &str = "this is no message of MessagePack-RPC, which are [0, id, method, params], [1, id, error, result] and [2, method, params]";

impl Parts {
    fn of(message: &[u8]) -> Result<Self, &'static str> {
        let (count, rest) = array(message).ok_or(NO_MESSAGE)?;
        let (kind, rest) = kind(rest).ok_or(NO_MESSAGE)?;
        match (kind, count) {
            (REQUEST, 4) => {
                let (id, rest) = MsgId::read(rest).ok_or("the id of a request is an integer")?;
                Ok(Self::Request(id, place(message, rest)?))
            }
            (NOTIFICATION, 3) => Ok(Self::Notification(place(message, rest)?)),
            (ANSWER, 4) => {
                let (id, rest) = MsgId::read(rest).ok_or("the id of an answer is an integer")?;
                let error = message.len() - rest.len();
                let result = error + value_len(rest).ok_or(NO_MESSAGE)?;
                Ok(Self::Answer { id, error, result })
            }
            (REQUEST, _) => Err("a request has four elements: [0, id, method, params]"),
            (ANSWER, _) => Err("an answer has four elements: [1, id, error, result]"),
            (NOTIFICATION, _) => Err("a notification has three elements: [2, method, params]"),
            _ => Err(NO_MESSAGE),
        }
    }
}

/// Method and params, which are the rest of the message.
fn place(message: &[u8], rest: &[u8]) -> Result<Place, &'static str> {
    let (method, params) = text(rest).ok_or("the method is a string in UTF-8")?;
    if method.len() > LONGEST_METHOD {
        return Err(
            "the method is longer than 511 bytes, which no service and method are together",
        );
    }
    let (count, _) = array(params).ok_or("the params are an array")?;
    let params = message.len() - params.len();
    Ok(Place {
        method: (params - method.len(), params),
        params,
        count,
    })
}

/// The text at the front, and what follows it. Peers of before MessagePack told text from bytes write either as bin.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    if let Ok(text) = rmp::decode::read_str_from_slice(bytes) {
        return Some(text);
    }
    let mut rest = bytes;
    let len = rmp::decode::read_bin_len(&mut rest).ok()?;
    let (text, rest) = rest.split_at_checked(len as usize)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl Call {
    /// The method, as the caller names it.
    pub fn method(&self) -> &str {
        let (start, end) = self.place.method;
        // It was looked at when it was taken apart.
        std::str::from_utf8(&self.message[start..end]).unwrap_or_default()
    }

    /// How many params there are.
    pub fn count(&self) -> u32 {
        self.place.count
    }

    /// The first one, as MessagePack.
    pub fn first(&self) -> Option<&[u8]> {
        let (count, values) = array(&self.message[self.place.params..])?;
        if count == 0 {
            return None;
        }
        values.get(..value_len(values)?)
    }

    /// All params, as a MessagePack array.
    pub fn into_params(self) -> Bytes {
        self.message.freeze().slice(self.place.params..)
    }

    /// All params but the first.
    pub fn into_params_after_first(mut self) -> Bytes {
        let Some(first) = self.first().map(<[u8]>::len) else {
            return self.into_params();
        };
        // The head of the shorter array is no longer than that of the longer one, and so has room in front.
        let head_len = |count| match count {
            0..=0x0F => 1,
            0x10..=0xFFFF => 3,
            _ => 5,
        };
        let left = self.place.count - 1;
        let values = self.message.len() - self.values_len() + first;
        let start = values - head_len(left);
        let mut head = &mut self.message[start..values];
        let written = rmp::encode::write_array_len(&mut head, left);
        debug_assert!(written.is_ok(), "the head has its length");
        self.message.freeze().slice(start..)
    }

    /// Bytes of the params without the head of their array.
    fn values_len(&self) -> usize {
        array(&self.message[self.place.params..]).map_or(0, |(_, values)| values.len())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method())
            .field(
                "params",
                &format_args!("{} bytes", self.message.len() - self.place.params),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::{Call, Message, MsgId};

    fn parse(bytes: &[u8]) -> Message {
        Message::parse(BytesMut::from(bytes))
    }

    fn request(bytes: &[u8]) -> (MsgId, Call) {
        match parse(bytes) {
            Message::Request { id, call } => (id, call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_doge_was_seen_to_send_is_taken_apart() {
        let (id, call) = request(b"\x94\x00\x01\xa3sum\x93\x80\x01\x02");
        assert_eq!(id, MsgId::from(1));
        assert_eq!((call.method(), call.count()), ("sum", 3));
        assert_eq!(call.first(), Some(&b"\x80"[..]));
        assert_eq!(call.into_params_after_first(), b"\x92\x01\x02"[..]);

        let (_, call) = request(b"\x94\x00\x01\xa3sum\x93\x81\xa1k\xa1v\x01\x02");
        assert_eq!(call.first(), Some(&b"\x81\xa1k\xa1v"[..]));
        assert_eq!(call.into_params_after_first(), b"\x92\x01\x02"[..]);
    }

    #[test]
    fn the_parts_may_be_of_any_width() {
        let wide = b"\xdd\x00\x00\x00\x04\xcc\x00\xcf\x00\x00\x00\x00\x00\x00\x00\x01\xdb\x00\x00\x00\x03sum\xdc\x00\x02\x01\x02";
        let (id, call) = request(wide);
        assert_eq!((id, call.method()), (MsgId::from(1), "sum"));
        assert_eq!(call.into_params(), b"\xdc\x00\x02\x01\x02"[..]);
    }

    #[test]
    fn the_params_after_the_first_are_an_array_whatever_their_number() {
        for count in [1, 2, 15, 16, 17, 65_535, 65_536, 65_537_u32] {
            let mut bytes = b"\x94\x00\x01\xa1m".to_vec();
            rmp::encode::write_array_len(&mut bytes, count).unwrap();
            bytes.extend(vec![0xC0; count as usize]);
            let (_, call) = request(&bytes);
            let mut expected = Vec::new();
            rmp::encode::write_array_len(&mut expected, count - 1).unwrap();
            expected.extend(vec![0xC0; count as usize - 1]);
            assert_eq!(call.into_params_after_first(), expected, "{count}");
        }
        let (_, none) = request(b"\x94\x00\x01\xa1m\x90");
        assert_eq!(none.first(), None);
        assert_eq!(none.into_params_after_first(), b"\x90"[..]);
    }

    #[test]
    fn answers_and_notifications_are_taken_apart() {
        let Message::Answer { id, error, result } = parse(b"\x94\x01\x07\xa4boom\xc0") else {
            panic!()
        };
        assert_eq!(id, MsgId::from(7));
        assert_eq!((&error[..], &result[..]), (&b"\xa4boom"[..], &b"\xc0"[..]));
        let Message::Notification { call } = parse(b"\x93\x02\xa1n\x91\x05") else {
            panic!()
        };
        assert_eq!(call.method(), "n");
        assert_eq!(call.into_params(), b"\x91\x05"[..]);
    }

    #[test]
    fn what_is_no_message_says_why_and_keeps_the_id_if_there_is_one() {
        let one = Some(MsgId::from(1));
        for (bytes, id, why) in [
            (&b"\xc0"[..], None, "this is no message"),
            (b"\x80", None, "this is no message"),
            (b"\x90", None, "this is no message"),
            (b"\x91\x03", None, "this is no message"),
            (b"\x91\x00", None, "a request has four"),
            (b"\x93\x00\x01\xa1m", one, "a request has four"),
            (b"\x95\x00\x01\xa1m\x90\xc0", one, "a request has four"),
            (b"\x93\x01\x01\xc0", None, "an answer has four"),
            (b"\x94\x00\xc0\xa1m\x90", None, "the id of a request"),
            (b"\x94\x00\xa11\xa1m\x90", None, "the id of a request"),
            (b"\x94\x00\xc3\xa1m\x90", None, "the id of a request"),
            (b"\x94\x01\xc0\xc0\xc0", None, "the id of an answer"),
            (
                b"\x94\x00\x01\xc4\x01\xff\x90",
                one,
                "the method is a string",
            ),
            (b"\x94\x00\x01\xa1\xff\x90", one, "the method is a string"),
            (b"\x94\x00\x01\x07\x90", one, "the method is a string"),
            (b"\x94\x00\x01\xa1m\x80", one, "the params are an array"),
            (b"\x94\x00\x01\xa1m\xc0", one, "the params are an array"),
        ] {
            let Message::Invalid {
                id: read,
                why: said,
            } = parse(bytes)
            else {
                panic!("{bytes:02x?}")
            };
            assert_eq!(read, id, "{bytes:02x?}");
            assert!(said.starts_with(why), "{bytes:02x?}: {said}");
        }
    }

    #[test]
    fn a_notification_that_cannot_be_read_is_known_as_one() {
        let long = [&b"\x93\x02\xda\x02\x58"[..], &[b'x'; 600], b"\x90"].concat();
        for (bytes, why) in [
            (&b"\x91\x02"[..], "a notification has three"),
            (b"\x94\x02\x01\xa1m\x90", "a notification has three"),
            (b"\x93\x02\xc4\x01\xff\x90", "the method is a string"),
            (b"\x93\x02\xc0\x90", "the method is a string"),
            (b"\x93\x02\xa1m\xc0", "the params are an array"),
            (b"\x93\x02\xa1m\x80", "the params are an array"),
            (
                b"\xdc\x00\x03\xcd\x00\x02\xa1m\x80",
                "the params are an array",
            ),
            (&long, "the method is longer"),
        ] {
            let Message::InvalidNotification { why: said } = parse(bytes) else {
                panic!("{bytes:02x?}")
            };
            assert!(said.starts_with(why), "{bytes:02x?}: {said}");
        }
    }

    #[test]
    fn a_method_may_be_bytes_that_are_text() {
        let (_, call) = request(b"\x94\x00\x01\xc4\x03sum\x92\x01\x02");
        assert_eq!((call.method(), call.count()), ("sum", 2));
        assert_eq!(call.into_params_after_first(), b"\x91\x02"[..]);
        let (_, call) = request(b"\x94\x00\x01\xc6\x00\x00\x00\x03sum\x90");
        assert_eq!((call.method(), call.count()), ("sum", 0));
        let Message::Notification { call } = parse(b"\x93\x02\xc5\x00\x01n\x90") else {
            panic!()
        };
        assert_eq!(call.method(), "n");
    }
}
