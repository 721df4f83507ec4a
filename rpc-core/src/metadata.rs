//! Keys and values that travel beside a call.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use thiserror::Error;

/// The longest key, in bytes: its length is one byte on the wire.
pub const MAX_KEY_LEN: usize = 255;

/// The most that the metadata of one message takes on the wire, in bytes, lengths included.
pub const MAX_METADATA_LEN: usize = 32 * 1024;

/// The most entries beside one message.
pub const MAX_METADATA_ENTRIES: usize = 128;

/// Keys that begin with this stay on their hop: they are not passed on to the calls made inside a handler.
pub const HOP_PREFIX: &str = "hop-";

/// Keys of credentials, which stay on their hop as well: a caller's token is for the service that was called, and no other
/// service further down. [`CallOptions::forward_credentials`](crate::call::CallOptions::forward_credentials) hands them on.
pub const CREDENTIAL_KEYS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];

/// Keys and values that travel beside a call, in both directions.
///
/// Keys are lower-case ASCII letters, digits, `-`, `_` and `.`; values are bytes, text by habit. A key has one
/// value. Cheap to clone, and an empty one costs nothing.
///
/// ```
/// use doge_rpc_core::Metadata;
///
/// let mut metadata = Metadata::new();
/// metadata.insert("tenant", "acme")?;
/// assert_eq!(metadata.get_str("tenant"), Some("acme"));
/// # Ok::<(), doge_rpc_core::MetadataError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    entries: Option<Arc<Vec<Entry>>>,
}

type Entry = (Box<str>, Bytes);

/// Metadata that cannot travel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The key is empty, too long, or has a character that keys may not have.
    #[error("metadata key {0:?}: use 1 to 255 lower-case letters, digits, '-', '_' or '.'")]
    Key(String),
    /// All entries together are too large.
    #[error(
        "metadata of {0} bytes: at most {MAX_METADATA_LEN} travel beside a call; put large data into an argument"
    )]
    TooLarge(usize),
    /// One entry more than there may be.
    #[error("metadata has {MAX_METADATA_ENTRIES} entries, which is all that travel beside a call")]
    TooMany,
}

impl Metadata {
    /// No entries.
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    ///
    /// When the key is not one that can travel, or the whole would be larger than [`MAX_METADATA_LEN`]; nothing
    /// changes then.
    pub fn insert(
        &mut self,
        key: impl AsRef<str>,
        value: impl Into<Bytes>,
    ) -> Result<(), MetadataError> {
        let (key, value) = (key.as_ref(), value.into());
        if !is_key(key.as_bytes()) {
            return Err(MetadataError::Key(key.to_owned()));
        }
        let replaced = self.get(key).map_or(0, |old| entry_len(key, old));
        let len = self.wire_len() - replaced + entry_len(key, &value);
        if len > MAX_METADATA_LEN {
            return Err(MetadataError::TooLarge(len));
        }
        if replaced == 0 && self.len() == MAX_METADATA_ENTRIES {
            return Err(MetadataError::TooMany);
        }
        self.put(key, value);
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Bytes> {
        self.iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The value of a key, when it is UTF-8.
    pub fn get_str(&self, key: &str) -> Option<&str> {
        self.get(key)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Bytes> {
        let entries = Arc::make_mut(self.entries.as_mut()?);
        let at = entries.iter().position(|(name, _)| **name == *key)?;
        let (_, value) = entries.remove(at);
        if entries.is_empty() {
            self.entries = None;
        }
        Some(value)
    }

    /// All entries, in the order in which they were first set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Bytes)> {
        self.entries
            .iter()
            .flat_map(|entries| entries.iter())
            .map(|(key, value)| (&**key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| entries.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }

    /// The entries that a call made inside a handler takes along: all but the keys that begin with [`HOP_PREFIX`] and
    /// [`CREDENTIAL_KEYS`].
    #[must_use]
    pub fn passed_on(&self) -> Self {
        if self.iter().all(|(key, _)| !stays_on_its_hop(key)) {
            return self.clone();
        }
        self.filtered(|key| !stays_on_its_hop(key))
    }

    /// The entries of [`CREDENTIAL_KEYS`].
    pub(crate) fn credentials(&self) -> Self {
        self.filtered(is_credential)
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut kept = Self::new();
        for (key, value) in self.iter().filter(|(key, _)| keep(key)) {
            kept.put(key, value.clone());
        }
        kept
    }

    /// Adds the entries of `under` whose keys are not set here, as far as they fit.
    pub fn inherit(&mut self, under: &Self) {
        if self.is_empty() {
            *self = under.clone();
            return;
        }
        for (key, value) in under.iter() {
            let fits = self.len() < MAX_METADATA_ENTRIES
                && self.wire_len() + entry_len(key, value) <= MAX_METADATA_LEN;
            if fits && self.get(key).is_none() {
                self.put(key, value.clone());
            }
        }
    }

    /// Bytes on the wire, lengths included.
    pub(crate) fn wire_len(&self) -> usize {
        self.iter().map(|(key, value)| entry_len(key, value)).sum()
    }

    /// Sets an entry whose key is known to be good and whose size is known to fit.
    pub(crate) fn put(&mut self, key: &str, value: Bytes) {
        let entries = Arc::make_mut(self.entries.get_or_insert_default());
        match entries.iter_mut().find(|(name, _)| **name == *key) {
            Some((_, old)) => *old = value,
            None => entries.push((key.into(), value)),
        }
    }
}

/// Credentials and what stays on its hop are shown as `<redacted>`.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.iter() {
            if stays_on_its_hop(key) {
                map.entry(&key, &format_args!("<redacted>"));
            } else {
                map.entry(&key, value);
            }
        }
        map.finish()
    }
}

fn is_credential(key: &str) -> bool {
    CREDENTIAL_KEYS.contains(&key)
}

fn stays_on_its_hop(key: &str) -> bool {
    key.starts_with(HOP_PREFIX) || is_credential(key)
}

/// Whether these bytes are a key.
pub(crate) fn is_key(key: &[u8]) -> bool {
    (1..=MAX_KEY_LEN).contains(&key.len())
        && key
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}

/// One byte of key length, the key, two of value length, the value.
fn entry_len(key: &str, value: &Bytes) -> usize {
    3 + key.len() + value.len()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{CREDENTIAL_KEYS, MAX_METADATA_ENTRIES, MAX_METADATA_LEN, Metadata, MetadataError};

    #[test]
    fn a_key_has_one_value() {
        let mut metadata = Metadata::new();
        metadata.insert("a", "1").unwrap();
        metadata.insert("b", "2").unwrap();
        metadata.insert("a", "3").unwrap();
        assert_eq!(metadata.len(), 2);
        assert_eq!(metadata.get_str("a"), Some("3"));
        assert_eq!(metadata.remove("a"), Some(Bytes::from("3")));
        assert_eq!(metadata.remove("a"), None);
    }

    #[test]
    fn bad_keys_and_too_much_are_refused_and_change_nothing() {
        let mut metadata = Metadata::new();
        for key in ["", "Upper", "sp ace", "new\nline", &"k".repeat(256)] {
            assert_eq!(
                metadata.insert(key, ""),
                Err(MetadataError::Key(key.to_owned()))
            );
        }
        metadata.insert("k", vec![0; MAX_METADATA_LEN - 4]).unwrap();
        assert!(matches!(
            metadata.insert("l", ""),
            Err(MetadataError::TooLarge(_))
        ));
        metadata.insert("k", "fits again").unwrap();
        assert_eq!(metadata.len(), 1);
        for number in 1..MAX_METADATA_ENTRIES {
            metadata.insert(format!("k{number}"), "").unwrap();
        }
        assert_eq!(metadata.insert("one-more", ""), Err(MetadataError::TooMany));
        metadata.insert("k1", "replaced").unwrap();
    }

    #[test]
    fn hop_keys_and_credentials_stay_and_own_values_win_over_inherited_values() {
        let mut outer = Metadata::new();
        outer.insert("tenant", "acme").unwrap();
        outer.insert("hop-token", "secret").unwrap();
        for key in CREDENTIAL_KEYS {
            outer.insert(key, "secret").unwrap();
        }
        let mut inner = Metadata::new();
        inner.insert("tenant", "other").unwrap();
        inner.inherit(&outer.passed_on());
        assert_eq!(inner.get_str("tenant"), Some("other"));
        assert_eq!(inner.len(), 1);
        assert_eq!(outer.credentials().len(), CREDENTIAL_KEYS.len());
        let shown = format!("{outer:?}");
        assert!(
            !shown.contains("secret") && shown.contains("acme"),
            "{shown}"
        );
    }
}
