use bytes::{BufMut as _, BytesMut};

use crate::{
    Status,
    wire::{self, MAX_DEPTH},
};

/// The longest text that is made of an error, in bytes.
const LONGEST: usize = 4096;

/// The largest value that is made readable, in bytes: there is no use in more of it than `LONGEST`, and it takes many
/// times its memory.
const LARGEST: usize = 16 * LONGEST;

/// A MessagePack value for people to read: text as it is, anything else much like JSON. Never empty.
pub(super) fn readable(value: &[u8]) -> String {
    if let Ok(text) = wire::decode::<String>(value) {
        return shortened(text);
    }
    if value.len() > LARGEST {
        return format!("an error of {} bytes that is no text", value.len());
    }
    let readable = rmpv::decode::read_value_ref_with_max_depth(&mut &*value, MAX_DEPTH);
    shortened(readable.map_or_else(|_| String::new(), |value| value.to_string()))
}

/// What a status says to a peer that knows errors as text only. Never empty, which would pass for success.
pub(super) fn of_status(status: &Status) -> String {
    match status.message() {
        "" => status.code().to_string(),
        message => shortened(message.to_owned()),
    }
}

/// Writes a text.
pub(super) fn write(dst: &mut BytesMut, text: &str) {
    // Memory takes everything.
    let _ = rmp::encode::write_str(&mut dst.writer(), text);
}

fn shortened(mut text: String) -> String {
    if text.is_empty() {
        return "an error without a text".into();
    }
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, of_status, readable};
    use crate::Status;

    #[test]
    fn an_error_of_any_type_can_be_read() {
        for (value, text) in [
            (&b"\xa4boom"[..], "boom"),
            (b"\x92\x01\xa3bad", "[1, \"bad\"]"),
            (b"\x81\xa8NotFound\x07", "{\"NotFound\": 7}"),
            (b"\x07", "7"),
            (b"\xa0", "an error without a text"),
        ] {
            assert_eq!(readable(value), text);
        }
    }

    /// As a tree, a value takes forty times the memory that it takes as bytes.
    #[test]
    fn a_large_value_is_not_taken_apart() {
        let mut many = b"\xdd\x00\x10\x00\x00".to_vec();
        many.resize(many.len() + (1 << 20), 0xC0);
        assert_eq!(readable(&many), "an error of 1048581 bytes that is no text");
    }

    #[test]
    fn it_is_never_empty_and_never_long() {
        assert_eq!(of_status(&Status::not_found("")), "not found");
        assert_eq!(
            of_status(&Status::not_found("no employee 7")),
            "no employee 7"
        );
        let long = of_status(&Status::internal("é".repeat(LONGEST)));
        assert_eq!(long.len(), LONGEST + 3);
        for cut in [&b""[..], b"\xc1", b"\xdd\xff\xff\xff\xff", &[0x91; 300]] {
            assert!(!readable(cut).is_empty());
        }
    }
}
