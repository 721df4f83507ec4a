use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;

use crate::{Change, Instance, change};

/// The instances of one service at one moment: immutable, cheap to clone, in the order of their ids.
///
/// ```
/// use doge_registry::{Change, Instance, ServiceKey, Snapshot};
///
/// let instance = Instance::new(ServiceKey::new("hr.employee"), "tcp://127.0.0.1:4399");
/// let before = Snapshot::default();
/// let after = Snapshot::from_iter([instance]);
/// assert!(matches!(after.changes_since(&before)[..], [Change::Joined(_)]));
/// assert!(matches!(before.changes_since(&after)[..], [Change::Left(_)]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    instances: Arc<[Arc<Instance>]>,
    restored: bool,
}

impl Snapshot {
    /// The instances, in the order of their ids.
    pub fn iter(&self) -> slice::Iter<'_, Arc<Instance>> {
        self.instances.iter()
    }

    /// How many instances there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instances.len()
    }

    /// Whether there is no instance at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instances.is_empty()
    }

    /// The instance with this id, if it is there.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Arc<Instance>> {
        let index = self
            .instances
            .binary_search_by(|instance| instance.id().cmp(id))
            .ok()?;
        self.instances.get(index)
    }

    /// Whether this is what the registry said in an earlier life of the process, kept on disk, because
    /// the registry itself could not be reached yet.
    ///
    /// Its instances may long be gone: they are worth a try, and no more. As soon as the registry
    /// answers, its own snapshot follows, also when the instances are the same.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        self.restored
    }

    /// The same instances, marked as [restored](Self::is_restored): for registries that keep snapshots.
    #[must_use]
    pub fn restored(mut self) -> Self {
        self.restored = true;
        self
    }

    /// What happened between `earlier` and this snapshot; instances are told apart by id.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        if Arc::ptr_eq(&self.instances, &earlier.instances) {
            return Vec::new();
        }
        change::between(&earlier.instances, &self.instances)
    }
}

impl<'a> IntoIterator for &'a Snapshot {
    type Item = &'a Arc<Instance>;
    type IntoIter = slice::Iter<'a, Arc<Instance>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Of instances with the same id the last one counts.
impl FromIterator<Arc<Instance>> for Snapshot {
    fn from_iter<I: IntoIterator<Item = Arc<Instance>>>(instances: I) -> Self {
        let by_id: BTreeMap<String, Arc<Instance>> = instances
            .into_iter()
            .map(|instance| (instance.id().to_owned(), instance))
            .collect();
        Self {
            instances: by_id.into_values().collect(),
            restored: false,
        }
    }
}

/// Of instances with the same id the last one counts.
impl FromIterator<Instance> for Snapshot {
    fn from_iter<I: IntoIterator<Item = Instance>>(instances: I) -> Self {
        instances.into_iter().map(Arc::new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ServiceKey;

    fn instance(address: &str) -> Instance {
        Instance::new(ServiceKey::new("hr.employee"), address)
    }

    #[test]
    fn changes_are_told_by_id() {
        let (stays, leaves, joins) = (instance("a"), instance("b"), instance("c"));
        let updated = stays.clone().with_weight(1);
        let before = Snapshot::from_iter([stays, leaves.clone()]);
        let after = Snapshot::from_iter([updated.clone(), joins.clone()]);

        let changes = after.changes_since(&before);
        assert_eq!(changes.len(), 3);
        for expected in [
            Change::Joined(Arc::new(joins)),
            Change::Left(Arc::new(leaves)),
            Change::Updated(Arc::new(updated)),
        ] {
            assert!(
                changes.contains(&expected),
                "{expected:?} is not in {changes:?}"
            );
        }
    }

    #[test]
    fn equal_snapshots_have_no_changes() {
        let one = instance("a");
        let before = Snapshot::from_iter([one.clone()]);
        let after = Snapshot::from_iter([one]);
        assert_eq!(before, after);
        assert!(after.changes_since(&before).is_empty());
        assert!(after.changes_since(&after.clone()).is_empty());
    }

    #[test]
    fn a_restored_snapshot_differs_from_a_live_one_in_nothing_but_that() {
        let live = Snapshot::from_iter([instance("a")]);
        let restored = live.clone().restored();
        assert!(restored.is_restored() && !live.is_restored());
        assert_ne!(restored, live);
        assert!(live.changes_since(&restored).is_empty());
    }

    #[test]
    fn an_instance_is_found_by_id_and_counted_once() {
        let first = instance("a");
        let newer = first.clone().with_weight(1);
        let snapshot = Snapshot::from_iter([instance("b"), first.clone(), newer, instance("c")]);
        assert_eq!(snapshot.len(), 3);
        assert_eq!(
            snapshot.get(first.id()).map(|found| found.weight()),
            Some(1)
        );
        assert!(snapshot.get("nobody").is_none());
    }
}
