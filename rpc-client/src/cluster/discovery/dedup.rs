use std::{collections::HashMap, sync::Arc};

use doge_registry::{Instance, Snapshot};

use super::address::{authority_of, is_native};

/// Which of several instances at one address counts.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    /// With which snapshot an instance came, by its id.
    came: HashMap<String, u64>,
    snapshots: u64,
}

impl Dedup {
    /// Takes a newer snapshot over, and returns its instances in their order, at each address one.
    ///
    /// A process that was restarted on its port is there twice until what is left of the earlier one expires: the one
    /// that came last counts. An instance does not say when it was registered, so of those that came with the same
    /// snapshot it is the one with the greatest id, which is as good as any and the same at each look.
    ///
    /// A process may also be there in both dialects, as what is registered is mirrored for Python doge and back. Of
    /// those the native one counts, whenever it came.
    pub(super) fn update<'a>(&mut self, snapshot: &'a Snapshot) -> Vec<&'a Arc<Instance>> {
        self.note(snapshot);
        let mut last: HashMap<&str, &Arc<Instance>> = HashMap::with_capacity(snapshot.len());
        for instance in snapshot {
            let last = last.entry(authority_of(instance)).or_insert(instance);
            // Later in the snapshot is greater in id.
            if self.rank(instance) >= self.rank(last) {
                *last = instance;
            }
        }
        let is_last = |instance: &&Arc<Instance>| {
            let last = last.get(authority_of(instance));
            last.is_some_and(|last| Arc::ptr_eq(last, instance))
        };
        snapshot.iter().filter(is_last).collect()
    }

    fn note(&mut self, snapshot: &Snapshot) {
        self.snapshots += 1;
        let mut before = std::mem::take(&mut self.came);
        let came = snapshot.iter().map(|instance| {
            let known = before.remove_entry(instance.id());
            known.unwrap_or_else(|| (instance.id().to_owned(), self.snapshots))
        });
        self.came = came.collect();
    }

    /// The greatest of those at one place counts.
    fn rank(&self, instance: &Instance) -> (bool, Option<u64>) {
        let came = self.came.get(instance.id()).copied();
        (is_native(instance), came)
    }
}

#[cfg(test)]
mod tests {
    use doge_registry::{Instance, ServiceKey, Snapshot};

    use super::Dedup;

    fn instance(address: &str) -> Instance {
        Instance::new(ServiceKey::new("hr.employee"), address)
    }

    /// Who counts of these, in the order of the ids.
    fn update(dedup: &mut Dedup, instances: &[&Instance]) -> Vec<Instance> {
        let snapshot: Snapshot = instances.iter().map(|&it| it.clone()).collect();
        let counting = dedup.update(&snapshot).into_iter();
        counting.map(|instance| (**instance).clone()).collect()
    }

    #[test]
    fn of_one_address_the_instance_that_came_last_counts_as_long_as_it_is_there() {
        // Ids are random: each order of them comes up.
        for _ in 0..32 {
            let (first, second, third) = (instance("a"), instance("a"), instance("a"));
            let mut dedup = Dedup::default();
            for (there, counts) in [
                (&[&first][..], &first),
                (&[&first, &second], &second),
                (&[&first, &second.clone().with_weight(7)], &second),
                (&[&first.clone().with_weight(7), &second], &second),
                (&[&first, &second, &third], &third),
                (&[&first, &second], &second),
                (&[&first], &first),
                (&[&first, &third], &third),
            ] {
                let counting = update(&mut dedup, there);
                assert_eq!(counting.len(), 1);
                assert_eq!(counting[0].id(), counts.id());
            }
        }
    }

    #[test]
    fn of_those_that_came_together_it_is_the_same_one_each_time() {
        let (one, other) = (instance("a"), instance("a"));
        let greater = if one.id() > other.id() { &one } else { &other };
        for _ in 0..3 {
            let mut dedup = Dedup::default();
            for _ in 0..3 {
                let counting = update(&mut dedup, &[&one, &other]);
                assert_eq!(counting.len(), 1);
                assert_eq!(counting[0].id(), greater.id());
            }
        }
    }

    #[test]
    fn of_a_process_that_is_there_in_both_dialects_the_native_one_counts() {
        // Ids are random: each order of them comes up.
        for _ in 0..32 {
            let native = instance("tcp://a:1");
            let others = ["doge://a:1", "a:1", "msgpack-rpc://a:1"].map(instance);
            let mut dedup = Dedup::default();
            for mirrored in &others {
                for (there, counts) in [
                    (&[mirrored][..], mirrored),
                    (&[mirrored, &native], &native),
                    (&[&native], &native),
                    (&[&native, mirrored], &native),
                    (&[mirrored], mirrored),
                ] {
                    assert_eq!(update(&mut dedup, there), std::slice::from_ref(counts));
                }
            }
            let [first, second, _] = &others;
            update(&mut dedup, &[first]);
            assert_eq!(
                update(&mut dedup, &[first, second]),
                std::slice::from_ref(second)
            );
        }
    }

    #[test]
    fn other_addresses_are_all_there_in_the_order_of_their_ids() {
        let instances: Vec<_> = (0..50)
            .map(|number| instance(&number.to_string()))
            .collect();
        let all: Vec<_> = instances.iter().collect();
        let counting = update(&mut Dedup::default(), &all);
        assert_eq!(counting.len(), 50);
        assert!(counting.is_sorted_by_key(|instance| instance.id().to_owned()));
    }

    #[test]
    fn what_has_left_is_forgotten() {
        let mut dedup = Dedup::default();
        for _ in 0..10 {
            update(&mut dedup, &[&instance("a"), &instance("b")]);
        }
        assert_eq!(dedup.came.len(), 2);
    }
}
