//! The map that doge puts in front of the params of a call: metadata, and what this framework adds for its own servers.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use rmp::Marker;

use crate::{
    MAX_METADATA_ENTRIES, MAX_METADATA_LEN, Metadata, MetadataError,
    protocol::{MAX_NAME_LEN, whole_millis},
    wire::value_len,
};

/// The key of the service that the method belongs to. The first key of the map that this framework writes.
const SERVICE: &str = "doge-service";

/// The key of the time that is left to a call, in milliseconds, as text like all of the map.
const TIMEOUT: &str = "doge-timeout-ms";

/// The header of a Jaeger trace, as the Python clients of doge put it into the map.
/// <https://www.jaegertracing.io/docs/1.21/client-libraries/#propagation-format>
const TRACE: &str = "uber-trace-id";

/// How many entries of a meta map are looked at: enough to fill the metadata of a call, and few enough that a map of
/// millions of entries costs no more than finding its end.
const MAX_ENTRIES: usize = 4 * MAX_METADATA_ENTRIES;

/// How many entries are looked at to tell what kind of map it is.
const MAX_FIRST: usize = 8;

/// What a meta map says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Meta {
    pub(super) metadata: Metadata,
    /// Time that is left to the call.
    pub(super) timeout: Option<Duration>,
    /// Entries that are metadata, and for which there was no room.
    pub(super) left_out: usize,
}

/// The entries that a client of this framework adds to a meta map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Own<'a> {
    /// The service that the method belongs to.
    pub(super) service: &'a str,
    /// Time that is left to the call.
    pub(super) timeout: Duration,
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

/// Whether this looks like no argument of a method: nil, an empty map, or one with a trace.
pub(super) fn looks_like_no_argument(value: &[u8]) -> bool {
    let mut first = entries(value).take(MAX_FIRST).peekable();
    is_meta(value) && (first.peek().is_none() || first.any(|(key, _)| text(key) == Some(TRACE)))
}

/// Whether a client of this framework wrote this map.
pub(super) fn is_own(value: &[u8]) -> bool {
    let mut first = entries(value).take(MAX_FIRST);
    first.any(|(key, _)| matches!(text(key), Some(SERVICE | TIMEOUT)))
}

/// The service that the method belongs to, if a client of this framework wrote this map.
pub(super) fn service(value: &[u8]) -> Option<&str> {
    let mut first = entries(value).take(MAX_FIRST);
    let (_, service) = first.find(|(key, _)| text(key) == Some(SERVICE))?;
    // A longer name is nobody's, and is shown to no one.
    let name = text(service)?;
    Some(if name.len() > MAX_NAME_LEN {
        TOO_LONG
    } else {
        name
    })
}

/// Stands for the name of a service that is too long; no service has a name with spaces.
const TOO_LONG: &str = "(a name of over 255 bytes)";

/// Reads a meta map, as far as it fits into the metadata of a call. What cannot be metadata is passed over: keys that
/// are no text or have other characters than metadata keys, and values that are neither text nor bytes nor a number.
pub(super) fn read(meta: &[u8]) -> Meta {
    let mut read = Meta::default();
    for (place, (key, value)) in entries(meta).enumerate() {
        if place >= MAX_ENTRIES || value.len() > MAX_METADATA_LEN + 5 {
            read.left_out += 1;
            continue;
        }
        let Some(written) = text(key) else {
            continue;
        };
        let key = written.to_ascii_lowercase();
        let is_exact = written == key;
        let Some(value) = bytes(value) else {
            tracing::debug!(
                key,
                "a value in the meta map of a call cannot be metadata and is left out"
            );
            continue;
        };
        match key.as_str() {
            SERVICE => {}
            // As `is_own` looks for it: in other letters, or after many others, it is nobody's.
            TIMEOUT if place >= MAX_FIRST || !is_exact => {}
            TIMEOUT => {
                read.timeout = std::str::from_utf8(&value)
                    .ok()
                    .and_then(|millis| millis.parse().ok())
                    .map(Duration::from_millis);
            }
            _ => match read.metadata.insert(&key, value) {
                Ok(()) => {}
                Err(MetadataError::Key(key)) => {
                    tracing::debug!(
                        key,
                        "a key in the meta map of a call cannot be one of metadata and is left out"
                    );
                }
                Err(_) => read.left_out += 1,
            },
        }
    }
    read
}

/// Writes a meta map, with the entries of this framework in front where there are any.
pub(super) fn write(dst: &mut BytesMut, metadata: &Metadata, own: Option<Own<'_>>) {
    let mut dst = dst.writer();
    // Metadata of these keys, as it may have come over a native connection, would be taken for those of the framework.
    let others = || {
        let entries = metadata.iter();
        entries.filter(|(key, _)| !matches!(*key, SERVICE | TIMEOUT))
    };
    let own_len = if own.is_some() { 2 } else { 0 };
    // Metadata is far below what 32 bits of length can say, and memory takes everything.
    let _ = rmp::encode::write_map_len(&mut dst, others().count() as u32 + own_len);
    if let Some(Own { service, timeout }) = own {
        let timeout = whole_millis(timeout).to_string();
        for text in [SERVICE, service, TIMEOUT, &timeout] {
            let _ = rmp::encode::write_str(&mut dst, text);
        }
    }
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

    use super::{
        MAX_ENTRIES, Meta, Own, is_meta, is_own, looks_like_meta, looks_like_no_argument, read,
        service, write,
    };
    use crate::{MAX_METADATA_ENTRIES, MAX_METADATA_LEN, Metadata};

    fn own(millis: u64) -> Option<Own<'static>> {
        Some(Own {
            service: "hr.employee",
            timeout: Duration::from_millis(millis),
        })
    }

    fn map(entries: impl ExactSizeIterator<Item = (String, String)>) -> Vec<u8> {
        let mut map = Vec::new();
        rmp::encode::write_map_len(&mut map, entries.len() as u32).unwrap();
        for (key, value) in entries {
            rmp::encode::write_str(&mut map, &key).unwrap();
            rmp::encode::write_str(&mut map, &value).unwrap();
        }
        map
    }

    #[test]
    fn a_map_is_read_as_it_was_written() {
        let mut metadata = Metadata::new();
        metadata.insert("uber-trace-id", "1a2b:3c4d:0:1").unwrap();
        metadata.insert("blob", &b"\xff\x00"[..]).unwrap();
        for own in [own(250), None] {
            let mut bytes = BytesMut::new();
            write(&mut bytes, &metadata, own);
            assert!(is_meta(&bytes));
            assert_eq!(is_own(&bytes), own.is_some());
            assert_eq!(service(&bytes), own.map(|own| own.service));
            let expected = Meta {
                metadata: metadata.clone(),
                timeout: own.map(|own| own.timeout),
                left_out: 0,
            };
            assert_eq!(read(&bytes), expected);
        }
    }

    #[test]
    fn the_entries_of_the_framework_are_not_what_metadata_says() {
        let mut metadata = Metadata::new();
        metadata.insert(super::TIMEOUT, "3600000").unwrap();
        metadata.insert(super::SERVICE, "hr.leave").unwrap();
        let mut bytes = BytesMut::new();
        write(&mut bytes, &metadata, own(250));
        assert_eq!(read(&bytes).timeout, Some(Duration::from_millis(250)));
        assert_eq!(service(&bytes), Some("hr.employee"));
        let mut bytes = BytesMut::new();
        write(&mut bytes, &metadata, None);
        assert_eq!(bytes, b"\x80"[..]);
    }

    #[test]
    fn values_that_are_no_text_become_text_and_others_are_left_out() {
        let map = b"\x89\xa5Uberx\xa1v\xa1i\xff\xa1u\xcd\x01\x00\xa1f\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1b\xc3\xa1x\xc4\x01\x07\
            \xa1l\x91\x01\x07\xa1n\xa2a b\xa1n";
        let metadata = read(map).metadata;
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
        assert_eq!(read(b"\xc0"), Meta::default());
        assert_eq!(read(b"\x80"), Meta::default());
    }

    #[test]
    fn a_time_that_is_none_is_left_out() {
        for value in [&b"\xa1x"[..], b"\xa2-1", b"\xc0", b"\xa21."] {
            let map = [b"\x81\xafdoge-timeout-ms", value].concat();
            assert_eq!(read(&map), Meta::default(), "{value:02x?}");
        }
    }

    #[test]
    fn of_too_many_entries_and_too_large_ones_there_is_what_fits() {
        let many = map((0..200).map(|number| (number.to_string(), "v".into())));
        let Meta {
            metadata, left_out, ..
        } = read(&many);
        assert_eq!((metadata.len(), left_out), (MAX_METADATA_ENTRIES, 72));
        assert_eq!(metadata.get_str("0"), Some("v"));

        // Large ones, of which the second finds no room, and small ones behind them.
        let large = "x".repeat(MAX_METADATA_LEN - 100);
        let entries = [("a", &*large), ("b", &large), ("c", "v")];
        let entries = entries.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let read = read(&map(entries.into_iter()));
        assert_eq!((read.metadata.len(), read.left_out), (2, 1));
        assert_eq!(read.metadata.get_str("c"), Some("v"));
    }

    /// Each entry is compared with all others: for millions of them that would take seconds.
    #[test]
    fn of_a_flood_of_entries_only_the_first_are_looked_at() {
        let flood = map((0..100_000).map(|number| ("k".into(), number.to_string())));
        let read = read(&flood);
        let last = (MAX_ENTRIES - 1).to_string();
        assert_eq!(read.metadata.get_str("k"), Some(&*last));
        assert_eq!(read.left_out, 100_000 - MAX_ENTRIES);
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

    #[test]
    fn nothing_and_a_trace_look_like_no_argument() {
        for (map, looks) in [
            (&b"\x80"[..], true),
            (b"\xc0", true),
            (b"\x82\xa1k\xa1v\xaduber-trace-id\xa11", true),
            (b"\x81\xa4name\xa3Ada", false),
            (b"\x90", false),
            (b"\x07", false),
        ] {
            assert_eq!(looks_like_no_argument(map), looks, "{map:02x?}");
        }
    }
}
