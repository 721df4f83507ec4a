//! How long values are, without a look at what they are.

/// How many bytes the value at the front has; `None` when they end inside it.
pub(crate) fn value_len(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let mut values = 1_usize;
    while values > 0 {
        let (&head, after) = rest.split_first()?;
        let item = Item::read(head, after).ok()?;
        rest = after.get(item.head_len..)?.get(item.skip..)?;
        values = (values - 1).checked_add(item.children)?;
    }
    Some(bytes.len() - rest.len())
}

/// The bytes end inside a head.
#[derive(Debug)]
pub(crate) struct Truncated;

/// One head: bytes of length after it, bytes of data to skip, values that belong to it.
pub(crate) struct Item {
    pub(crate) head_len: usize,
    pub(crate) skip: usize,
    pub(crate) children: usize,
}

impl Item {
    pub(crate) fn read(head: u8, after: &[u8]) -> Result<Self, Truncated> {
        let item = |head_len, skip, children| {
            Ok(Self {
                head_len,
                skip,
                children,
            })
        };
        match head {
            0x80..=0x8F => item(0, 0, 2 * usize::from(head & 0x0F)),
            0x90..=0x9F => item(0, 0, usize::from(head & 0x0F)),
            0xA0..=0xBF => item(0, usize::from(head & 0x1F), 0),
            0xC4 | 0xD9 => item(1, length(after, 1)?, 0),
            0xC5 | 0xDA => item(2, length(after, 2)?, 0),
            0xC6 | 0xDB => item(4, length(after, 4)?, 0),
            // Extensions have a byte of type before their data.
            0xC7 => item(1, length(after, 1)? + 1, 0),
            0xC8 => item(2, length(after, 2)? + 1, 0),
            0xC9 => item(4, length(after, 4)?.saturating_add(1), 0),
            0xD4..=0xD8 => item(0, (1 << (head - 0xD4)) + 1, 0),
            0xCC | 0xD0 => item(0, 1, 0),
            0xCD | 0xD1 => item(0, 2, 0),
            0xCA | 0xCE | 0xD2 => item(0, 4, 0),
            0xCB | 0xCF | 0xD3 => item(0, 8, 0),
            0xDC => item(2, 0, length(after, 2)?),
            0xDD => item(4, 0, length(after, 4)?),
            0xDE => item(2, 0, 2 * length(after, 2)?),
            0xDF => item(4, 0, length(after, 4)?.saturating_mul(2)),
            0x00..=0x7F | 0xC0..=0xC3 | 0xE0..=0xFF => item(0, 0, 0),
        }
    }
}

fn length(after: &[u8], width: usize) -> Result<usize, Truncated> {
    let bytes = after.get(..width).ok_or(Truncated)?;
    Ok(bytes
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::value_len;

    #[test]
    fn a_value_is_as_long_as_it_is_and_no_cut_of_it_is_one() {
        for value in [
            &b"\x93\x01\xa1x\xc0"[..],
            b"\xdf\x00\x00\x00\x01\xa1k\x92\x01\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18",
            b"\xdc\x00\x03\xc4\x02ab\xd9\x01x\xc7\x01\x05z",
            b"\xde\x00\x01\xd4\x05z\xc8\x00\x01\x05z",
        ] {
            let more = [value, b"\xc0"].concat();
            assert_eq!(value_len(&more), Some(value.len()), "{value:02x?}");
            for end in 0..value.len() {
                assert_eq!(value_len(&value[..end]), None, "{value:02x?} cut at {end}");
            }
        }
        assert_eq!(value_len(b"\xdf\xff\xff\xff\xff"), None);
    }
}
