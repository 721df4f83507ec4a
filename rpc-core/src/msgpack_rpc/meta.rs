//! The map that doge puts in front of the params of a call: metadata, and the time that is left to it.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use rmp::Marker;

use crate::{Metadata, MetadataError, protocol::whole_millis, wire::value_len};

/// The key of the time that is left to a call, in milliseconds, as text like all of the map.
const TIMEOUT: &str = "doge-timeout-ms";

/// What a meta map says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Meta {
    pub(super) metadata: Metadata,
    /// Time that is left to the call.
    pub(super) timeout: Option<Duration>,
}

/// Whether this can be a meta map: Python doge also sends nil.
pub(super) fn is_meta(value: &[u8]) -> bool {
    matches!(value.first(), Some(0x80..=0x8F | 0xDE | 0xDF | 0xC0))
}

/// Whether this looks like a meta map, though it could be an argument as well: nil, or texts by texts.
pub(super) fn looks_like_meta(value: &[u8]) -> bool {
    is_meta(value)
        && entries(value).all(|(key, value)| text(key).is_some() && text(value).is_some())
}

/// Reads a meta map. What cannot travel beside a call is left out: keys that are no text or have other characters than
/// metadata keys, and values that are neither text nor bytes nor a number.
///
/// # Errors
///
/// When there is more of it than travels beside a call.
pub(super) fn read(meta: &[u8]) -> Result<Meta, MetadataError> {
    let mut read = Meta::default();
    for (key, value) in entries(meta) {
        let Some(key) = text(key).map(str::to_ascii_lowercase) else {
            continue;
        };
        let Some(value) = bytes(value) else {
            tracing::debug!(
                key,
                "a value in the meta map of a call cannot be metadata and is left out"
            );
            continue;
        };
        if key == TIMEOUT {
            read.timeout = std::str::from_utf8(&value)
                .ok()
                .and_then(|millis| millis.parse().ok())
                .map(Duration::from_millis);
            continue;
        }
        match read.metadata.insert(&key, value) {
            Err(MetadataError::Key(key)) => {
                tracing::debug!(
                    key,
                    "a key in the meta map of a call cannot be one of metadata and is left out"
                );
            }
            inserted => inserted?,
        }
    }
    Ok(read)
}

/// Writes a meta map.
pub(super) fn write(dst: &mut BytesMut, metadata: &Metadata, timeout: Duration) {
    let mut dst = dst.writer();
    let timeout = whole_millis(timeout).to_string();
    // Metadata of that key, as it may have come over a native connection, would be taken for the time that is left.
    let others = || metadata.iter().filter(|(key, _)| *key != TIMEOUT);
    // Metadata is far below what 32 bits of length can say, and memory takes everything.
    let _ = rmp::encode::write_map_len(&mut dst, others().count() as u32 + 1);
    let _ = rmp::encode::write_str(&mut dst, TIMEOUT);
    let _ = rmp::encode::write_str(&mut dst, &timeout);
    for (key, value) in others() {
        let _ = rmp::encode::write_str(&mut dst, key);
        let _ = match std::str::from_utf8(value) {
            Ok(text) => rmp::encode::write_str(&mut dst, text),
            Err(_) => rmp::encode::write_bin(&mut dst, value),
        };
    }
}

/// The entries of a map as the bytes they are; of anything else, none.
fn entries(map: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = map;
    let mut left = rmp::decode::read_map_len(&mut rest).unwrap_or(0);
    std::iter::from_fn(move || {
        left = left.checked_sub(1)?;
        let (key, after) = rest.split_at_checked(value_len(rest)?)?;
        let (value, after) = after.split_at_checked(value_len(after)?)?;
        rest = after;
        Some((key, value))
    })
}

fn text(value: &[u8]) -> Option<&str> {
    let (text, _) = rmp::decode::read_str_from_slice(value).ok()?;
    Some(text)
}

/// A value as metadata has it.
fn bytes(value: &[u8]) -> Option<Bytes> {
    if let Some(text) = text(value) {
        return Some(Bytes::copy_from_slice(text.as_bytes()));
    }
    let mut rest = value;
    match rmp::decode::read_marker(&mut rest).ok()? {
        Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
            let mut rest = value;
            rmp::decode::read_bin_len(&mut rest).ok()?;
            Some(Bytes::copy_from_slice(rest))
        }
        Marker::True => Some(Bytes::from_static(b"true")),
        Marker::False => Some(Bytes::from_static(b"false")),
        Marker::F32 => Some(f32::from_be_bytes(rest.try_into().ok()?).to_string().into()),
        Marker::F64 => Some(f64::from_be_bytes(rest.try_into().ok()?).to_string().into()),
        _ => {
            let number: i128 = rmp::decode::read_int(&mut &*value).ok()?;
            Some(number.to_string().into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::BytesMut;

    use super::{Meta, is_meta, looks_like_meta, read, write};
    use crate::{MAX_METADATA_ENTRIES, Metadata};

    #[test]
    fn a_map_is_read_as_it_was_written() {
        let mut metadata = Metadata::new();
        metadata.insert("uber-trace-id", "1a2b:3c4d:0:1").unwrap();
        metadata.insert("blob", &b"\xff\x00"[..]).unwrap();
        let mut bytes = BytesMut::new();
        write(&mut bytes, &metadata, Duration::from_millis(250));
        assert!(is_meta(&bytes));
        let timeout = Some(Duration::from_millis(250));
        assert_eq!(read(&bytes).unwrap(), Meta { metadata, timeout });
    }

    #[test]
    fn the_time_that_is_left_is_not_what_metadata_says() {
        let mut metadata = Metadata::new();
        metadata.insert(super::TIMEOUT, "3600000").unwrap();
        let mut bytes = BytesMut::new();
        write(&mut bytes, &metadata, Duration::from_millis(250));
        let left = read(&bytes).unwrap().timeout;
        assert_eq!(left, Some(Duration::from_millis(250)));
    }

    #[test]
    fn values_that_are_no_text_become_text_and_others_are_left_out() {
        let map = b"\x89\xa5Uberx\xa1v\xa1i\xff\xa1u\xcd\x01\x00\xa1f\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1b\xc3\xa1x\xc4\x01\x07\
            \xa1l\x91\x01\x07\xa1n\xa2a b\xa1n";
        let metadata = read(map).unwrap().metadata;
        let read: Vec<_> = metadata
            .iter()
            .map(|(key, value)| (key, &value[..]))
            .collect();
        assert_eq!(
            read,
            [
                ("uberx", &b"v"[..]),
                ("i", b"-1"),
                ("u", b"256"),
                ("f", b"1.5"),
                ("b", b"true"),
                ("x", b"\x07"),
            ]
        );
    }

    #[test]
    fn nil_and_an_empty_map_say_nothing() {
        assert_eq!(read(b"\xc0").unwrap(), Meta::default());
        assert_eq!(read(b"\x80").unwrap(), Meta::default());
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        for value in [&b"\xa1x"[..], b"\xa2-1", b"\xc0", b"\xa21."] {
            let map = [b"\x81\xafdoge-timeout-ms", value].concat();
            assert_eq!(read(&map).unwrap(), Meta::default(), "{value:02x?}");
        }
    }

    #[test]
    fn more_than_travels_is_refused() {
        let mut map = b"\xde\x00\xc8".to_vec();
        for number in 0..200 {
            rmp::encode::write_str(&mut map, &number.to_string()).unwrap();
            map.push(0xC2);
        }
        let error = read(&map).unwrap_err().to_string();
        assert!(error.contains(&MAX_METADATA_ENTRIES.to_string()), "{error}");
    }

    #[test]
    fn texts_by_texts_look_like_meta_and_a_record_does_not() {
        for (map, looks) in [
            (&b"\x80"[..], true),
            (b"\xc0", true),
            (b"\x81\xa1k\xa1v", true),
            (b"\x82\xa4name\xa3Ada\xa3age\x24", false),
            (b"\x81\x01\xa1v", false),
            (b"\x90", false),
            (b"\x07", false),
        ] {
            assert_eq!(looks_like_meta(map), looks, "{map:02x?}");
        }
    }
}
