use thiserror::Error;

use crate::wire::{Item, MAX_DEPTH, MAX_ELEMENTS};

/// Why bytes cannot be a result or the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Misfit {
    /// Not a MessagePack value, or more than one.
    #[error("not one MessagePack value")]
    NotOne,
    /// Arrays and maps inside each other.
    #[error("nested {0} levels deep, and at most {MAX_DEPTH} travel")]
    Depth(usize),
    /// What the arrays and maps hold in all; a map's entry is two.
    #[error("{0} elements in arrays and maps, and at most {MAX_ELEMENTS} travel")]
    Elements(usize),
}

/// Checks that `bytes` are one value, and one that the other end reads: an answer is found in a stream without lengths,
/// and the limits are those of values in the native protocol.
///
/// # Errors
///
/// The [`Misfit`], with how much there is.
pub(super) fn check(bytes: &[u8]) -> Result<(), Misfit> {
    // Values that are still to come at each level that is open.
    let mut open = Vec::new();
    let (mut rest, mut elements, mut deepest) = (bytes, 0_usize, 0);
    loop {
        let (&head, after) = rest.split_first().ok_or(Misfit::NotOne)?;
        if head == 0xC1 {
            return Err(Misfit::NotOne);
        }
        let item = Item::read(head, after).map_err(|_| Misfit::NotOne)?;
        rest = after
            .get(item.head_len..)
            .and_then(|rest| rest.get(item.skip..))
            .ok_or(Misfit::NotOne)?;
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if matches!(head, 0x80..=0x9F | 0xDC..=0xDF) {
            // What is announced and not there is no value, however much that is.
            if item.children > rest.len() {
                return Err(Misfit::NotOne);
            }
            elements += item.children;
            deepest = deepest.max(open.len() + 1);
            open.push(item.children);
        }
        while open.last() == Some(&0) {
            open.pop();
        }
        if open.is_empty() {
            break;
        }
    }
    match rest {
        [_, ..] => Err(Misfit::NotOne),
        [] if deepest > MAX_DEPTH => Err(Misfit::Depth(deepest)),
        [] if elements > MAX_ELEMENTS => Err(Misfit::Elements(elements)),
        [] => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Misfit, check};
    use crate::wire::{MAX_DEPTH, MAX_ELEMENTS};

    fn nested(levels: usize) -> Vec<u8> {
        [vec![0x91; levels - 1], vec![0x90]].concat()
    }

    fn array(elements: usize) -> Vec<u8> {
        let mut array = Vec::new();
        rmp::encode::write_array_len(&mut array, elements as u32).unwrap();
        array.resize(array.len() + elements, 0xC0);
        array
    }

    #[test]
    fn one_value_within_the_limits_passes() {
        for value in [
            &b"\x07"[..],
            b"\xc0",
            b"\x90",
            b"\x80",
            b"\xa3abc",
            b"\x93\x01\x81\xa1k\x92\x01\x02\xc4\x01\x07",
            &nested(MAX_DEPTH),
            &array(MAX_ELEMENTS),
        ] {
            assert_eq!(check(value), Ok(()));
        }
    }

    #[test]
    fn what_is_not_one_value_is_none() {
        for bytes in [
            &b""[..],
            b"\xc1",
            b"\x91\xc1",
            b"\x01\x02",
            b"\x92\x01",
            b"\xa3ab",
            b"\xd9",
            b"\x90\x90",
            b"\xdd\xff\xff\xff\xff\x01",
            b"\xdf\xff\xff\xff\xff\x01",
            b"\xc6\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(check(bytes), Err(Misfit::NotOne), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_over_a_limit_says_how_much_it_is() {
        assert_eq!(check(&nested(1000)), Err(Misfit::Depth(1000)));
        let many = check(&array(2_000_000)).unwrap_err();
        assert_eq!(many, Misfit::Elements(2_000_000));
        let text = "2000000 elements in arrays and maps, and at most 1048576 travel";
        assert_eq!(many.to_string(), text);
        // Maps of one entry, each of which is two elements.
        let maps = [
            b"\xdd\x00\x08\x00\x00".to_vec(),
            b"\x81\x01\x02".repeat(0x8_0000),
        ]
        .concat();
        assert_eq!(check(&maps), Err(Misfit::Elements(3 * 0x8_0000)));
    }
}
