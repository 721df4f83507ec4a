use doge_base::Address;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::key::validate_name;
use crate::{Instance, Origin, RegistryError, ServiceKey};

/// The only schema there is so far.
const SCHEMA: u32 = 1;
/// The largest value that is written or read, in bytes. etcd takes requests of 1.5 MiB; an instance has a few hundred.
pub(super) const LARGEST: usize = 64 * 1024;

/// The value of an instance.
pub(super) fn encode(instance: &Instance) -> Result<Vec<u8>, RegistryError> {
    let value = Written {
        schema: SCHEMA,
        instance,
    };
    // Texts and numbers under names that are texts: there is nothing in it that JSON cannot hold.
    let json = serde_json::to_vec(&value).map_err(|error| RegistryError::Other(error.into()))?;
    if json.len() > LARGEST {
        return Err(RegistryError::TooLarge {
            id: instance.id().to_owned(),
            size: json.len(),
            limit: LARGEST,
        });
    }
    Ok(json)
}

/// The instance that a value describes: JSON, or no more than an address. Whoever can write to etcd says so.
pub(super) fn decode(value: &[u8], key: &ServiceKey, id: &str) -> Result<Instance, Unreadable> {
    let decoded = decode_any(value, key, id);
    decoded.map(|instance| instance.with_origin(Origin::SharedRegistry))
}

fn decode_any(value: &[u8], key: &ServiceKey, id: &str) -> Result<Instance, Unreadable> {
    if value.len() > LARGEST {
        return Err(Unreadable::TooLarge);
    }
    let text = std::str::from_utf8(value).map_err(|_| Unreadable::Foreign)?;
    if text.trim_start().starts_with('{') {
        return decode_json(text, key, id);
    }
    let address = bare_address(text.trim()).ok_or(Unreadable::Foreign)?;
    if id.is_empty() || id.contains('/') {
        return Err(Unreadable::Misplaced);
    }
    Ok(Instance::named(id, key.clone(), address))
}

/// Why a value is not that of the instance that its key promises.
#[derive(Debug, Error)]
pub(super) enum Unreadable {
    #[error("it is neither JSON nor host:port")]
    Foreign,
    #[error("it is JSON and not an instance: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is {0} and this process knows {SCHEMA}")]
    Schema(u32),
    #[error("it is longer than {LARGEST} bytes")]
    TooLarge,
    #[error("it is the value of another instance or service, or its key has too many parts")]
    Misplaced,
}

#[derive(Serialize)]
struct Written<'a> {
    schema: u32,
    instance: &'a Instance,
}

#[derive(Deserialize)]
struct Read {
    instance: Instance,
}

/// The part that stays the same whatever the schema.
#[derive(Deserialize)]
struct Header {
    schema: u32,
}

fn decode_json(text: &str, key: &ServiceKey, id: &str) -> Result<Instance, Unreadable> {
    let Header { schema } = serde_json::from_str(text)?;
    if schema != SCHEMA {
        return Err(Unreadable::Schema(schema));
    }
    let Read { instance } = serde_json::from_str(text)?;
    if instance.key() != key || instance.id() != id || validate_name("instance id", id).is_err() {
        return Err(Unreadable::Misplaced);
    }
    Ok(instance)
}

/// `host:port` as Python doge writes it, which so is one of its processes, or an address with a scheme.
fn bare_address(text: &str) -> Option<String> {
    let address = Address::of_instance(text).ok()?;
    let can_be_called = !address.location().is_unspecified();
    can_be_called.then(|| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_of_a_registry_that_others_write_to() {
        let instance = Instance::new(key(), "tcp://a:1");
        assert_eq!(instance.origin(), Origin::Configured);
        let id = instance.id().to_owned();
        for value in [encode(&instance).unwrap(), b"10.0.0.1:4399".to_vec()] {
            let read = decode(&value, &key(), &id).unwrap();
            assert_eq!(read.origin(), Origin::SharedRegistry);
        }
    }

    fn key() -> ServiceKey {
        ServiceKey::new("hr.employee")
    }

    #[test]
    fn a_value_is_read_as_written() {
        let instance = Instance::new(key(), "tcp://a:1")
            .with_tag("k", "v")
            .with_zone("z");
        let value = encode(&instance).unwrap();
        assert_eq!(decode(&value, &key(), instance.id()).unwrap(), instance);
    }

    #[test]
    fn the_value_is_as_documented() {
        let instance = Instance::named("i", key(), "tcp://a:1");
        let value = String::from_utf8(encode(&instance).unwrap()).unwrap();
        assert_eq!(
            value,
            r#"{"schema":1,"instance":{"id":"i","key":{"group":"default","service":"hr.employee","version":"1"},"address":"tcp://a:1","weight":100}}"#
        );
    }

    #[test]
    fn a_bare_address_is_an_instance_named_by_its_key() {
        for (value, address) in [
            ("10.0.0.1:4399", "doge://10.0.0.1:4399"),
            (" host:1\n", "doge://host:1"),
            ("[::1]:4399", "doge://[::1]:4399"),
            ("tcp://a:1", "tcp://a:1"),
            ("doge://a:1", "doge://a:1"),
            ("msgpack-rpc://a:1", "msgpack-rpc://a:1"),
            ("unix:///run/x", "unix:///run/x"),
        ] {
            let instance = decode(value.as_bytes(), &key(), "10.0.0.1:4399").unwrap();
            assert_eq!(
                (instance.address(), instance.id()),
                (address, "10.0.0.1:4399")
            );
        }
    }

    #[test]
    fn what_is_not_an_instance_is_told_apart() {
        let read = |value: &[u8]| decode(value, &key(), "i").unwrap_err();
        for foreign in [
            &b"\xff\xfe"[..],
            b"",
            b"hello",
            b"::1:4399",
            b"a:0",
            b"a:99999",
            b"a b:1",
            b"http://x",
        ] {
            assert!(matches!(read(foreign), Unreadable::Foreign), "{foreign:?}");
        }
        assert!(matches!(read(b"{"), Unreadable::Json(_)));
        assert!(matches!(read(b"{\"schema\":1}"), Unreadable::Json(_)));
        assert!(matches!(
            read(b"{\"schema\":2,\"instance\":0}"),
            Unreadable::Schema(2)
        ));
        let other = encode(&Instance::named("other", key(), "a")).unwrap();
        assert!(matches!(read(&other), Unreadable::Misplaced));
        let elsewhere = encode(&Instance::named("i", key().with_group("g"), "a")).unwrap();
        assert!(matches!(read(&elsewhere), Unreadable::Misplaced));
        assert!(matches!(read(&[b' '; LARGEST + 1]), Unreadable::TooLarge));
        assert!(matches!(
            decode(b"a:1", &key(), "x/y"),
            Err(Unreadable::Misplaced)
        ));
    }

    #[test]
    fn an_instance_too_large_to_be_read_back_is_refused() {
        let instance = Instance::new(key(), "tcp://a:1").with_tag("k", "v".repeat(LARGEST));
        let error = encode(&instance).unwrap_err();
        assert!(matches!(
            error,
            RegistryError::TooLarge { limit: LARGEST, .. }
        ));
    }
}
