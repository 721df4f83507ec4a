use bytes::{BufMut as _, BytesMut};

/// The number by which a caller knows the answer to its request. Specified as 32 bits without a sign; peers send
/// whatever integer they count with, and get the same one back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MsgId(i128);

impl MsgId {
    /// What stands in an answer to what is no request, as Python doge has it.
    pub const NONE: Self = Self(-1);

    /// The integer at the front, and what follows it.
    pub(super) fn read(mut bytes: &[u8]) -> Option<(Self, &[u8])> {
        let id: i128 = rmp::decode::read_int::<i128, _>(&mut bytes).ok()?;
        Some((Self(id), bytes))
    }

    /// Whether it is one of these numbers.
    pub(super) fn is_within(self, numbers: std::ops::Range<u32>) -> bool {
        u32::try_from(self.0).is_ok_and(|id| numbers.contains(&id))
    }

    /// Writes it in its shortest form.
    pub(super) fn write(self, dst: &mut BytesMut) {
        let written = if let Ok(unsigned) = u64::try_from(self.0) {
            rmp::encode::write_uint(&mut dst.writer(), unsigned)
        } else {
            // Every integer that can be read is one of the two.
            rmp::encode::write_sint(&mut dst.writer(), i64::try_from(self.0).unwrap_or(-1))
        };
        debug_assert!(written.is_ok(), "memory takes everything");
    }
}

impl From<u64> for MsgId {
    fn from(id: u64) -> Self {
        Self(i128::from(id))
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::MsgId;

    #[test]
    fn an_integer_of_any_width_comes_back_in_its_shortest_form() {
        for (read, written) in [
            (&b"\x00"[..], &b"\x00"[..]),
            (b"\xcc\x07", b"\x07"),
            (b"\xcd\x00\x80", b"\xcc\x80"),
            (b"\xce\x00\x00\x01\x00", b"\xcd\x01\x00"),
            (b"\xcf\x00\x00\x00\x00\x00\x00\x00\x01", b"\x01"),
            (
                b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
                b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff",
            ),
            (b"\xff", b"\xff"),
            (b"\xd0\xff", b"\xff"),
            (b"\xd1\xff\x7f", b"\xd1\xff\x7f"),
            (b"\xd2\x80\x00\x00\x00", b"\xd2\x80\x00\x00\x00"),
            (b"\xd3\x00\x00\x00\x00\x00\x00\x00\x07", b"\x07"),
            (
                b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
                b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
            ),
        ] {
            let (id, rest) = MsgId::read(read).unwrap();
            assert!(rest.is_empty());
            let mut bytes = BytesMut::new();
            id.write(&mut bytes);
            assert_eq!(bytes, written, "{read:02x?}");
        }
    }

    #[test]
    fn what_is_no_integer_is_no_id() {
        for bytes in [
            &b""[..],
            b"\xc0",
            b"\xc3",
            b"\xa11",
            b"\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00",
            b"\xcd\x01",
        ] {
            assert_eq!(MsgId::read(bytes), None, "{bytes:02x?}");
        }
    }
}
