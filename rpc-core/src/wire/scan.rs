//! Whether a body claims more than it holds, found out before anything is allocated for it.

use thiserror::Error;

/// How deep values may nest.
pub const MAX_DEPTH: usize = 128;

/// How many elements the arrays and maps of one body may have in all; a map's entry counts as two.
pub const MAX_ELEMENTS: usize = 1024 * 1024;

/// What a body claims that it cannot hold, or may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// An array or a map announces more elements than there are bytes.
    #[error("{claimed} elements are announced where {left} bytes are left")]
    Claim {
        /// Elements announced.
        claimed: usize,
        /// Bytes after the announcement.
        left: usize,
    },
    /// More elements than are allowed.
    #[error("more than {MAX_ELEMENTS} elements in one body")]
    Elements,
    /// Nested too deep.
    #[error("nested deeper than {MAX_DEPTH}")]
    Depth,
    /// The bytes end inside a value.
    #[error("the bytes end inside a value")]
    Truncated,
}

/// Checks a body that may hold any number of values.
///
/// Only the wide heads of arrays and maps (`dc` to `df`) can announce more than 15 elements, and most bodies have no
/// such byte at all; those pass after one sweep that the compiler vectorises. The others are walked head by head, and
/// so are large ones, which are mostly text and blobs that a walk steps over.
pub(super) fn check(body: &[u8]) -> Result<(), ScanError> {
    if body.len() >= WALKED {
        return walk(body);
    }
    let may_lie = body
        .iter()
        .fold(false, |found, byte| found | (byte & 0xFC == 0xDC));
    if may_lie { walk(body) } else { Ok(()) }
}

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

/// Bodies of this many bytes are not swept first.
const WALKED: usize = 4096;

fn walk(mut rest: &[u8]) -> Result<(), ScanError> {
    // Elements still to come at each level; no recursion, so that nesting costs no stack.
    let mut open = [0_usize; MAX_DEPTH];
    let mut depth = 0;
    let mut elements = 0;
    while let Some((&head, after)) = rest.split_first() {
        let Item {
            skip,
            children,
            head_len,
        } = Item::read(head, after)?;
        rest = after
            .get(head_len..)
            .and_then(|rest| rest.get(skip..))
            .ok_or(ScanError::Truncated)?;
        if depth > 0 {
            open[depth - 1] -= 1;
        }
        if children > rest.len() {
            return Err(ScanError::Claim {
                claimed: children,
                left: rest.len(),
            });
        }
        elements += children;
        if elements > MAX_ELEMENTS {
            return Err(ScanError::Elements);
        }
        if children > 0 {
            *open.get_mut(depth).ok_or(ScanError::Depth)? = children;
            depth += 1;
        }
        while depth > 0 && open[depth - 1] == 0 {
            depth -= 1;
        }
    }
    if depth > 0 {
        Err(ScanError::Truncated)
    } else {
        Ok(())
    }
}

/// One head: bytes of length after it, bytes of data to skip, values that belong to it.
pub(crate) struct Item {
    pub(crate) head_len: usize,
    pub(crate) skip: usize,
    pub(crate) children: usize,
}

impl Item {
    pub(crate) fn read(head: u8, after: &[u8]) -> Result<Self, ScanError> {
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

fn length(after: &[u8], width: usize) -> Result<usize, ScanError> {
    let bytes = after.get(..width).ok_or(ScanError::Truncated)?;
    Ok(bytes
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, ScanError, check};

    #[test]
    fn honest_bodies_pass() {
        check(b"").unwrap();
        check(b"\x93\x01\xa1x\xc0").unwrap();
        check(b"\xdc\x00\x02\x01\x02").unwrap();
        check(b"\xdf\x00\x00\x00\x01\xa1k\x92\x01\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18").unwrap();
        // The byte of a wide head inside a string.
        check("\u{700}\u{7ff}".as_bytes()).unwrap_err();
        check(&[b"\xa2".as_slice(), b"\xdc\x80"].concat()).unwrap();
    }

    #[test]
    fn lies_about_counts_are_found_at_every_depth() {
        let four_billion = b"\xdd\xff\xff\xff\xff";
        assert_eq!(
            check(four_billion),
            Err(ScanError::Claim {
                claimed: u32::MAX as usize,
                left: 0
            })
        );
        let nested = [b"\x91\x81\xa1k".as_slice(), b"\xde\x00\x10\x01"].concat();
        assert_eq!(
            check(&nested),
            Err(ScanError::Claim {
                claimed: 32,
                left: 1
            })
        );
    }

    #[test]
    fn depth_and_element_bombs_are_found() {
        let mut deep = vec![0x91; MAX_DEPTH];
        deep.extend(b"\xdc\x00\x01\xc0");
        assert_eq!(check(&deep), Err(ScanError::Depth));
        let mut many = b"\xdd\x00\x20\x00\x00".to_vec();
        many.resize(many.len() + 0x20_0000, 0xC0);
        assert_eq!(check(&many), Err(ScanError::Elements));
    }

    #[test]
    fn every_cut_of_a_wide_body_is_found() {
        let body = b"\xdc\x00\x03\xc4\x02ab\xd9\x01x\xc7\x01\x05z";
        check(body).unwrap();
        for end in 1..body.len() {
            // A cut before the wide head is whole cannot lie, and is the typed reader's business.
            assert!(check(&body[..end]).is_err(), "cut at {end}");
        }
    }
}
