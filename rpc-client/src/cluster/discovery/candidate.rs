//! Which instances of a list can be called at all.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::Arc,
};

use doge_registry::{Instance, Origin, Snapshot};
use doge_rpc_core::transport::{Address, Dialect, Location};

use super::Selection;

/// An instance that this client can call, and where.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) instance: Arc<Instance>,
    pub(super) address: Address,
}

/// Reads the addresses of instances, and remembers which instances it has refused: each is one warning.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// The addresses of those that were refused, by id.
    refused: BTreeMap<String, String>,
}

impl Reader {
    /// The instances of a snapshot that can be called, in their order.
    pub(super) fn read(&mut self, snapshot: &Snapshot, selection: &Selection) -> Vec<Candidate> {
        let mut refused = BTreeMap::new();
        let candidates = snapshot.iter().filter_map(|instance| {
            let why = match Address::of_instance(instance.address()) {
                Ok(address) => match selection.refusal(instance, &address) {
                    None => {
                        let instance = Arc::clone(instance);
                        return Some(Candidate { instance, address });
                    }
                    Some(refusal) => refusal.to_string(),
                },
                Err(error) => error.to_string(),
            };
            let (id, address) = (instance.id(), instance.address());
            if self.refused.get(id).is_none_or(|before| before != address) {
                tracing::warn!(instance = id, service = %instance.key(), address, why, "an instance is never called");
            }
            refused.insert(id.to_owned(), address.to_owned());
            None
        });
        let candidates = candidates.collect();
        self.refused = refused;
        candidates
    }
}

/// Why an address of an instance is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressRefusal<'a> {
    /// Whoever can write to the registry would reach into this machine or process.
    Local(&'a Location),
    /// The cluster does not ask for this dialect.
    Dialect(Dialect),
}

impl Selection {
    /// Why this client does not call an instance there. A shared registry says where to call and never how: no socket of
    /// this machine, and no dialect that the cluster does not ask for, such as plaintext that speaks first.
    pub(super) fn refusal<'a>(
        &self,
        instance: &Instance,
        address: &'a Address,
    ) -> Option<AddressRefusal<'a>> {
        let (location, dialect) = (address.location(), address.dialect());
        let is_shared = instance.origin() == Origin::SharedRegistry;
        if is_shared && !matches!(location, Location::Tcp(_)) {
            return Some(AddressRefusal::Local(location));
        }
        let is_asked_for = match &self.dialects {
            Some(dialects) => dialects.contains(&dialect),
            None => !is_shared || dialect == Dialect::Native,
        };
        (!is_asked_for).then_some(AddressRefusal::Dialect(dialect))
    }
}

impl Display for AddressRefusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(location) => write!(
                f,
                "a shared registry may not name {location}, which is of this machine; use tcp://, or a registry of \
                 kind file, static or memory"
            ),
            Self::Dialect(dialect) => write!(
                f,
                "this cluster does not ask for the dialect {dialect}; add it with `ClusterBuilder::dialects` if its \
                 instances may be called so"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use doge_registry::{Instance, Origin, ServiceKey};
    use doge_rpc_core::transport::{Address, Dialect};

    use super::{AddressRefusal, Reader, Selection};

    fn instance(address: &str, origin: Origin) -> Instance {
        Instance::new(ServiceKey::new("hr.employee"), address).with_origin(origin)
    }

    #[test]
    fn a_shared_registry_says_where_and_not_how() {
        let asks = |dialects: &[Dialect]| Selection {
            dialects: Some(dialects.to_vec()),
            ..Selection::default()
        };
        let usual = Selection::default();
        let both = asks(&[Dialect::Native, Dialect::Doge]);
        let native = asks(&[Dialect::Native]);
        for (text, origin, selection, is_called) in [
            ("tcp://a:1", Origin::SharedRegistry, &usual, true),
            ("a:1", Origin::SharedRegistry, &usual, false),
            ("doge://a:1", Origin::SharedRegistry, &usual, false),
            ("msgpack-rpc://a:1", Origin::SharedRegistry, &usual, false),
            ("a:1", Origin::SharedRegistry, &both, true),
            ("doge://a:1", Origin::SharedRegistry, &both, true),
            ("msgpack-rpc://a:1", Origin::SharedRegistry, &both, false),
            ("unix:///run/x", Origin::SharedRegistry, &both, false),
            ("memory://x", Origin::SharedRegistry, &usual, false),
            ("doge+unix:///run/x", Origin::SharedRegistry, &both, false),
            ("unix:///run/x", Origin::Configured, &usual, true),
            ("memory://x", Origin::Configured, &usual, true),
            ("a:1", Origin::Configured, &usual, true),
            ("doge://a:1", Origin::Configured, &native, false),
        ] {
            let address = Address::of_instance(text).unwrap();
            let refusal = selection.refusal(&instance(text, origin), &address);
            assert_eq!(refusal.is_none(), is_called, "{text} of {origin:?}");
        }
        let local = Address::of_instance("unix:///run/x").unwrap();
        let refusal = AddressRefusal::Local(local.location()).to_string();
        assert!(refusal.contains("unix:///run/x"), "{refusal}");
    }

    #[test]
    fn what_is_refused_is_remembered_as_long_as_it_is_there() {
        let mut reader = Reader::default();
        let (good, bad) = (
            instance("tcp://a:1", Origin::Configured),
            instance("tls://a:1", Origin::Configured),
        );
        let both = [good.clone(), bad.clone()].into_iter().collect();
        let called = reader.read(&both, &Selection::default());
        assert_eq!(called.len(), 1);
        assert_eq!(called[0].address.to_string(), "tcp://a:1");
        assert_eq!(reader.refused[bad.id()], "tls://a:1");
        let called = reader.read(&[good].into_iter().collect(), &Selection::default());
        assert_eq!((called.len(), reader.refused.len()), (1, 0));
    }
}
