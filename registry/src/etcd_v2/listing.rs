use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answer::{Event, Node};
use super::client::Listed;
use super::value;
use crate::{Instance, ServiceKey, Snapshot};

/// What etcd holds of one service, as far as it is known.
#[derive(Debug)]
pub(super) struct Listing {
    key: ServiceKey,
    directory: String,
    /// Whether the instances speak with the meta map.
    meta: bool,
    /// The latest change that is known, be it from a list or an event.
    index: u64,
    instances: BTreeMap<String, Arc<Instance>>,
    /// Names whose values could not be read: each is complained about once.
    unreadable: BTreeSet<String>,
}

/// What an event means for a [`Listing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Changed,
    /// It is of more than one key: what is left has to be listed.
    Unclear,
}

impl Listing {
    /// Nothing yet of the service in `directory`.
    pub(super) fn new(key: ServiceKey, directory: String, meta: bool) -> Self {
        Self {
            key,
            directory,
            meta,
            index: 0,
            instances: BTreeMap::new(),
            unreadable: BTreeSet::new(),
        }
    }

    pub(super) fn key(&self) -> &ServiceKey {
        &self.key
    }

    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    /// The first event that is not known yet.
    pub(super) fn next(&self) -> u64 {
        // Whatever a peer says that its index is.
        self.index.saturating_add(1)
    }

    /// Takes these for all there are.
    pub(super) fn replace(&mut self, listed: Listed) {
        self.index = listed.index;
        self.instances.clear();
        let complained = std::mem::take(&mut self.unreadable);
        for node in listed.nodes {
            if let Some(name) = self.name_of(&node.key) {
                self.put(name.to_owned(), node, &complained);
            }
        }
    }

    /// Takes in what happened.
    pub(super) fn apply(&mut self, event: Event) -> Effect {
        let Event { action, node } = event;
        if node.index <= self.index {
            return Effect::Nothing;
        }
        self.index = node.index;
        let Some(name) = self.name_of(&node.key).map(str::to_owned) else {
            // The directory itself, or one that it is in, which goes with all that is in it.
            return if action.removes() {
                Effect::Unclear
            } else {
                Effect::Nothing
            };
        };
        if name.contains('/') {
            return Effect::Nothing;
        }
        if action.removes() {
            // Whether it was known or not: doge's watch died of a name that it did not know.
            self.unreadable.remove(&name);
            self.instances.remove(&name);
        } else {
            self.put(name, node, &BTreeSet::new());
        }
        Effect::Changed
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.instances.values().cloned().collect()
    }

    fn put(&mut self, name: String, node: Node, complained: &BTreeSet<String>) {
        if node.dir {
            return;
        }
        let value = node.value.unwrap_or_default();
        match value::decode(&value, self.meta) {
            Some(address) => {
                self.unreadable.remove(&name);
                let instance = Instance::named(&name, self.key.clone(), address);
                self.instances.insert(name, Arc::new(instance));
            }
            None => {
                if !complained.contains(&name) && !self.unreadable.contains(&name) {
                    tracing::warn!(
                        key = node.key,
                        "a value of the registry is not host:port and is passed over"
                    );
                }
                self.instances.remove(&name);
                self.unreadable.insert(name);
            }
        }
    }

    /// What follows the directory in a key.
    fn name_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_prefix(&self.directory)?.strip_prefix('/')
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Action;
    use super::*;
    use crate::warnings::warnings_of;

    fn listing() -> Listing {
        Listing::new(ServiceKey::new("s"), "/p/s".to_owned(), true)
    }

    fn node(key: &str, value: &str, index: u64) -> Node {
        Node {
            key: key.to_owned(),
            value: Some(value.to_owned()),
            dir: false,
            index,
        }
    }

    fn event(action: Action, key: &str, value: &str, index: u64) -> Event {
        let node = node(key, value, index);
        Event { action, node }
    }

    fn listed(index: u64, nodes: Vec<Node>) -> Listed {
        Listed { index, nodes }
    }

    fn shown(listing: &Listing) -> Vec<String> {
        let snapshot = listing.snapshot();
        let each = snapshot.iter();
        each.map(|instance| format!("{} {}", instance.id(), instance.address()))
            .collect()
    }

    /// Doge appended an endpoint for each `set` of a key that was there, and passed over all other ways to change it.
    #[test]
    fn whatever_changes_a_key_replaces_what_it_said() {
        let mut listing = listing();
        let ways = [
            Action::Set,
            Action::Create,
            Action::Update,
            Action::CompareAndSwap,
        ];
        for (at, action) in (1..).zip(ways) {
            let effect = listing.apply(event(action, "/p/s/n", &format!("h:{at}"), at));
            assert_eq!(effect, Effect::Changed);
            assert_eq!(shown(&listing), [format!("n doge://h:{at}")]);
        }
    }

    /// Doge's watch died of the delete of a key that it did not know.
    #[test]
    fn what_is_gone_is_gone_whether_it_was_known_or_not() {
        for action in [Action::Delete, Action::Expire, Action::CompareAndDelete] {
            let mut listing = listing();
            listing.apply(event(Action::Set, "/p/s/n", "h:1", 1));
            assert_eq!(
                listing.apply(event(action, "/p/s/nobody", "", 2)),
                Effect::Changed
            );
            assert_eq!(shown(&listing).len(), 1);
            assert_eq!(
                listing.apply(event(action, "/p/s/n", "", 3)),
                Effect::Changed
            );
            assert!(shown(&listing).is_empty());
        }
    }

    #[test]
    fn a_directory_that_goes_takes_all_with_it() {
        let mut listing = listing();
        listing.replace(listed(1, vec![node("/p/s/n", "h:1", 1)]));
        for (at, key) in (2..).zip(["/p/s", "/p", "/"]) {
            let effect = listing.apply(event(Action::Delete, key, "", at));
            assert_eq!(effect, Effect::Unclear);
        }
        let effect = listing.apply(event(Action::Set, "/p/s", "", 9));
        assert_eq!(effect, Effect::Nothing);
    }

    #[test]
    fn what_lies_deeper_or_elsewhere_is_no_instance() {
        let mut listing = listing();
        let directory = Node {
            dir: true,
            ..node("/p/s/d", "", 1)
        };
        listing.replace(listed(1, vec![node("/p/s2/n", "h:1", 1), directory]));
        for (at, key) in (2..).zip(["/p/s/d/n", "/p/s2/n"]) {
            let effect = listing.apply(event(Action::Set, key, "h:1", at));
            assert_eq!(effect, Effect::Nothing);
        }
        assert!(shown(&listing).is_empty());
    }

    #[test]
    fn events_from_before_a_listing_change_nothing() {
        let mut listing = listing();
        listing.replace(listed(5, vec![node("/p/s/n", "h:1", 3)]));
        assert_eq!(listing.next(), 6);
        assert_eq!(
            listing.apply(event(Action::Delete, "/p/s/n", "", 5)),
            Effect::Nothing
        );
        assert_eq!(
            listing.apply(event(Action::Set, "/p/s/m", "h:1", 4)),
            Effect::Nothing
        );
        assert_eq!(shown(&listing), ["n doge://h:1"]);
        // And so do events that are told again.
        listing.apply(event(Action::Delete, "/p/s/n", "", 6));
        let effect = listing.apply(event(Action::Set, "/p/s/n", "h:1", 6));
        assert_eq!((effect, listing.next()), (Effect::Nothing, 7));
    }

    #[test]
    fn what_is_no_instance_is_complained_about_once_and_passed_over() {
        let mut listing = listing();
        let odd = || vec![node("/p/s/n", "{}", 1), node("/p/s/m", "h:1", 1)];
        let warnings = warnings_of(|| {
            for index in 1..4 {
                listing.replace(listed(index, odd()));
                listing.apply(event(Action::Set, "/p/s/n", "?", index + 10));
            }
        });
        assert_eq!(warnings, 1);
        assert_eq!(shown(&listing), ["m doge://h:1"]);
        listing.apply(event(Action::Set, "/p/s/n", "h:2", 20));
        assert_eq!(shown(&listing), ["m doge://h:1", "n doge://h:2"]);
    }
}
