use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::etcd::value;
use crate::{Instance, ServiceKey, Snapshot};

/// What etcd holds of one service, as far as it is known.
#[derive(Debug)]
pub(super) struct Listing {
    key: ServiceKey,
    prefix: String,
    /// When everything was last read: events up to there are known already.
    revision: i64,
    instances: BTreeMap<String, Arc<Instance>>,
    /// Values that could not be read, with their revision: each is complained about once.
    unreadable: BTreeMap<String, i64>,
    /// Who has said that it leaves, until that is asked for.
    leaving: BTreeSet<String>,
}

/// A key of etcd and its value.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) path: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) revision: i64,
}

impl Listing {
    /// Nothing yet of the service whose keys begin with `prefix`.
    pub(super) fn new(key: ServiceKey, prefix: String) -> Self {
        Self {
            key,
            prefix,
            revision: 0,
            instances: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            leaving: BTreeSet::new(),
        }
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn key(&self) -> &ServiceKey {
        &self.key
    }

    /// Takes these for all there were at `revision`.
    pub(super) fn replace(&mut self, pairs: Vec<Pair>, revision: i64) {
        self.revision = revision;
        self.instances.clear();
        let complained = std::mem::take(&mut self.unreadable);
        for pair in pairs {
            self.read(&pair, &complained);
        }
    }

    /// Adds the instance, or replaces what it said before.
    pub(super) fn put(&mut self, pair: &Pair) {
        if pair.revision > self.revision {
            self.read(pair, &BTreeMap::new());
        }
    }

    /// Removes the instance, whether it was known or not.
    pub(super) fn delete(&mut self, path: &[u8], revision: i64) {
        if revision <= self.revision {
            return;
        }
        if let Some(id) = self.id_of(path) {
            self.instances.remove(&id);
            self.unreadable.remove(&id);
        }
    }

    /// Who has said that it leaves since this was last asked.
    pub(super) fn take_leaving(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.leaving)
    }

    /// Whether it was ever read.
    pub(super) fn is_read(&self) -> bool {
        self.revision > 0
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.instances.values().cloned().collect()
    }

    fn read(&mut self, pair: &Pair, complained: &BTreeMap<String, i64>) {
        let Some(id) = self.id_of(&pair.path) else {
            let key = String::from_utf8_lossy(&pair.path);
            tracing::warn!(?key, "a key of the registry is not text and is passed over");
            return;
        };
        match value::decode(&pair.value, &self.key, &id) {
            Ok(instance) if instance.says_farewell() => {
                self.unreadable.remove(&id);
                self.instances.remove(&id);
                self.leaving.insert(id);
            }
            Ok(instance) => {
                self.unreadable.remove(&id);
                self.leaving.remove(&id);
                self.instances.insert(id, Arc::new(instance));
            }
            Err(reason) => {
                if complained.get(&id) != Some(&pair.revision) {
                    let key = String::from_utf8_lossy(&pair.path);
                    tracing::warn!(?key, %reason, "a value of the registry is no instance and is passed over");
                }
                self.instances.remove(&id);
                self.unreadable.insert(id, pair.revision);
            }
        }
    }

    fn id_of(&self, path: &[u8]) -> Option<String> {
        let id = std::str::from_utf8(path).ok()?.strip_prefix(&self.prefix)?;
        Some(id.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        Listing::new(ServiceKey::new("s"), "/p/default/s/1/".to_owned())
    }

    fn pair(id: &str, value: &[u8]) -> Pair {
        Pair {
            path: format!("/p/default/s/1/{id}").into_bytes(),
            value: value.to_vec(),
            revision: 1,
        }
    }

    fn ids(listing: &Listing) -> Vec<String> {
        let snapshot = listing.snapshot();
        snapshot
            .iter()
            .map(|instance| instance.id().to_owned())
            .collect()
    }

    /// Doge appended an endpoint for each `set` of a key that was there, and died of the delete of one that was not.
    #[test]
    fn a_second_put_replaces_and_an_unknown_delete_does_nothing() {
        let mut listing = listing();
        for port in 1..=3 {
            listing.put(&pair("a", format!("h:{port}").as_bytes()));
        }
        listing.delete(b"/p/default/s/1/nobody", 1);
        listing.delete(b"elsewhere", 1);
        assert_eq!(ids(&listing), ["a"]);
        let snapshot = listing.snapshot();
        assert_eq!(snapshot.get("a").unwrap().address(), "doge://h:3");
        listing.delete(b"/p/default/s/1/a", 1);
        assert!(ids(&listing).is_empty());
    }

    #[test]
    fn what_is_no_instance_is_passed_over() {
        let mut listing = listing();
        listing.replace(
            vec![
                pair("a", b"h:1"),
                pair("b", b"garbage"),
                pair("c/d", b"h:1"),
                pair("", b"h:1"),
                Pair {
                    path: vec![0xff],
                    value: Vec::new(),
                    revision: 1,
                },
            ],
            0,
        );
        assert_eq!(ids(&listing), ["a"]);
        // What became unreadable is no longer what it was.
        listing.put(&pair("a", b"{}"));
        assert!(ids(&listing).is_empty());
        listing.put(&pair("b", b"h:2"));
        assert_eq!(ids(&listing), ["b"]);
    }

    #[test]
    fn who_says_farewell_is_gone_until_it_takes_that_back() {
        let mut listing = listing();
        let value = |instance: Instance| value::encode(&instance).unwrap();
        let instance = Instance::named("a", ServiceKey::new("s"), "tcp://h:1");
        listing.put(&pair("a", &value(instance.clone())));
        listing.put(&pair("a", &value(instance.farewell())));
        assert!(ids(&listing).is_empty());
        assert_eq!(listing.take_leaving(), BTreeSet::from(["a".to_owned()]));
        assert!(listing.take_leaving().is_empty());
        listing.replace(vec![pair("a", &value(instance.farewell()))], 0);
        assert!(ids(&listing).is_empty());
        listing.put(&pair("a", &value(instance)));
        assert_eq!(ids(&listing), ["a"]);
        assert!(listing.take_leaving().is_empty());
    }

    #[test]
    fn a_reading_replaces_all_that_was_known() {
        let mut listing = listing();
        listing.put(&pair("a", b"h:1"));
        listing.replace(vec![pair("b", b"h:2")], 5);
        assert_eq!(ids(&listing), ["b"]);
    }

    #[test]
    fn events_from_before_a_reading_change_nothing() {
        let mut listing = listing();
        listing.replace(vec![pair("b", b"h:2")], 5);
        listing.put(&Pair {
            revision: 5,
            ..pair("a", b"h:1")
        });
        listing.delete(b"/p/default/s/1/b", 5);
        assert_eq!(ids(&listing), ["b"]);
        listing.delete(b"/p/default/s/1/b", 6);
        assert!(ids(&listing).is_empty());
    }
}
