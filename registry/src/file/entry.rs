use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::unreadable::Unreadable;
use crate::{Instance, RegistryError, ServiceKey};

/// The only schema there is so far.
pub(super) const SCHEMA: u32 = 1;
/// The largest file that is read, and so the largest that is written, in bytes.
pub(super) const LARGEST: usize = 64 * 1024;
const SHORTEST_TTL: Duration = Duration::from_millis(100);
const LONGEST_TTL: Duration = Duration::from_secs(60 * 60);

/// What a file of the registry says: an instance, and how long it lives without being renewed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    schema: u32,
    ttl_ms: u64,
    /// Which registration wrote it, so that an earlier one of the same instance leaves it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registration: Option<String>,
    instance: Instance,
}

impl Entry {
    pub(super) fn new(instance: Instance, ttl: Duration, registration: &str) -> Self {
        Self {
            schema: SCHEMA,
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            registration: Some(registration.to_owned()),
            instance,
        }
    }

    pub(super) fn encode(&self, path: &Path) -> Result<Vec<u8>, RegistryError> {
        let mut json = serde_json::to_vec_pretty(self).map_err(|error| RegistryError::Io {
            doing: "encode the entry for",
            path: path.to_owned(),
            cause: error.into(),
            mend: "give the instance an address and tags that JSON can hold",
        })?;
        json.push(b'\n');
        if json.len() > LARGEST {
            return Err(RegistryError::TooLarge {
                id: self.instance.id().to_owned(),
                size: json.len(),
                limit: LARGEST,
            });
        }
        Ok(json)
    }

    /// Reads the entry that instance `id` of `key` has at `path`.
    pub(super) fn read(path: &Path, key: &ServiceKey, id: &str) -> Result<Self, Unreadable> {
        let mut json = Vec::new();
        fs::File::open(path)?
            .take(LARGEST as u64 + 1)
            .read_to_end(&mut json)?;
        Self::decode(&json, key, id)
    }

    pub(super) fn ttl(&self) -> Duration {
        within_ttl_bounds(Duration::from_millis(self.ttl_ms))
    }

    /// Whether another registration wrote it. An entry that names no registration was written by hand, and is nobody else's.
    pub(super) fn is_anothers(&self, registration: &str) -> bool {
        self.registration
            .as_ref()
            .is_some_and(|it| it != registration)
    }

    pub(super) fn into_instance(self) -> Instance {
        self.instance
    }

    fn decode(json: &[u8], key: &ServiceKey, id: &str) -> Result<Self, Unreadable> {
        if json.len() > LARGEST {
            return Err(Unreadable::TooLarge);
        }
        let Header { schema } = serde_json::from_slice(json)?;
        if schema != SCHEMA {
            return Err(Unreadable::Schema(schema));
        }
        let entry: Self = serde_json::from_slice(json)?;
        if entry.instance.key() != key || entry.instance.id() != id {
            return Err(Unreadable::Misplaced);
        }
        Ok(entry)
    }
}

/// No entry, whoever wrote it, may renew in a busy loop or stay for ever.
pub(super) fn within_ttl_bounds(ttl: Duration) -> Duration {
    ttl.clamp(SHORTEST_TTL, LONGEST_TTL)
}

/// The part that stays the same whatever the schema.
#[derive(Deserialize)]
struct Header {
    schema: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServiceKey {
        ServiceKey::new("hr.employee")
    }

    fn encoded(instance: &Instance) -> String {
        let entry = Entry::new(instance.clone(), Duration::from_secs(10), "r");
        String::from_utf8(entry.encode(Path::new("x")).unwrap()).unwrap()
    }

    #[test]
    fn an_entry_is_read_as_written() {
        let instance = Instance::new(key(), "tcp://a:1").with_tag("k", "v");
        let entry = Entry::decode(encoded(&instance).as_bytes(), &key(), instance.id()).unwrap();
        assert_eq!(entry.ttl(), Duration::from_secs(10));
        assert_eq!(entry.into_instance(), instance);
    }

    #[test]
    fn what_is_not_the_entry_is_told_apart() {
        let instance = Instance::new(key(), "tcp://a:1");
        let json = encoded(&instance);
        let read = |json: &str, key, id| Entry::decode(json.as_bytes(), &key, id).unwrap_err();

        let torn = &json[..json.len() / 2];
        assert!(matches!(
            read(torn, key(), instance.id()),
            Unreadable::Json(_)
        ));
        let newer = r#"{"schema":2,"instance":"quite another shape"}"#;
        assert!(matches!(
            read(newer, key(), instance.id()),
            Unreadable::Schema(2)
        ));
        assert!(matches!(read(&json, key(), "other"), Unreadable::Misplaced));
        let elsewhere = key().with_group("other");
        assert!(matches!(
            read(&json, elsewhere, instance.id()),
            Unreadable::Misplaced
        ));
        let long = " ".repeat(LARGEST + 1);
        assert!(matches!(
            read(&long, key(), instance.id()),
            Unreadable::TooLarge
        ));
    }

    #[test]
    fn an_entry_cannot_claim_to_live_for_ever() {
        let instance = Instance::new(key(), "tcp://a:1");
        assert_eq!(
            Entry::new(instance.clone(), Duration::MAX, "r").ttl(),
            LONGEST_TTL
        );
        assert_eq!(
            Entry::new(instance, Duration::ZERO, "r").ttl(),
            SHORTEST_TTL
        );
    }

    #[test]
    fn an_instance_too_large_to_be_read_back_is_refused() {
        let instance = Instance::new(key(), "tcp://a:1").with_tag("k", "v".repeat(LARGEST));
        let error = Entry::new(instance, Duration::from_secs(1), "r")
            .encode(Path::new("x"))
            .unwrap_err();
        assert!(matches!(
            error,
            RegistryError::TooLarge { limit: LARGEST, .. }
        ));
    }
}
