use std::collections::HashMap;

use doge_rpc_core::transport::{Dialect, Location};

use super::Candidate;

/// Which of several instances at one address counts.
#[derive(Debug, Default)]
pub(super) struct Dedup {
    /// With which list an instance came, by its id.
    came: HashMap<String, u64>,
    lists: u64,
}

impl Dedup {
    /// Takes a newer list over, and returns its instances in their order, at each location one.
    ///
    /// A process that was restarted on its port is there twice until what is left of the earlier one expires: the one
    /// that came last counts. An instance does not say when it was registered, so of those that came with the same
    /// list it is the one with the greatest id, which is as good as any and the same at each look.
    ///
    /// A process may also be there in both dialects, as what is registered is mirrored for Python doge and back. Of
    /// those the native one counts, whenever it came.
    pub(super) fn update(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        self.note(&candidates);
        let mut last: HashMap<&Location, &Candidate> = HashMap::with_capacity(candidates.len());
        for candidate in &candidates {
            let last = last
                .entry(candidate.address.location())
                .or_insert(candidate);
            // Later in the list is greater in id.
            if self.rank(candidate) >= self.rank(last) {
                *last = candidate;
            }
        }
        let counts = candidates.iter().map(|candidate| {
            let last = last.get(candidate.address.location());
            last.is_some_and(|last| std::ptr::eq(*last, candidate))
        });
        let counts: Vec<_> = counts.collect();
        let all = candidates.into_iter().zip(counts);
        all.filter_map(|(candidate, counts)| counts.then_some(candidate))
            .collect()
    }

    fn note(&mut self, candidates: &[Candidate]) {
        self.lists += 1;
        let mut before = std::mem::take(&mut self.came);
        let came = candidates.iter().map(|candidate| {
            let id = candidate.instance.id();
            let known = before.remove_entry(id);
            known.unwrap_or_else(|| (id.to_owned(), self.lists))
        });
        self.came = came.collect();
    }

    /// The greatest of those at one place counts.
    fn rank(&self, candidate: &Candidate) -> (bool, Option<u64>) {
        let came = self.came.get(candidate.instance.id()).copied();
        (candidate.address.dialect() == Dialect::Native, came)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use doge_registry::{Instance, ServiceKey, Snapshot};
    use doge_rpc_core::transport::Address;

    use super::{Candidate, Dedup};

    fn instance(address: &str) -> Instance {
        Instance::new(ServiceKey::new("hr.employee"), address)
    }

    /// Who counts of these, in the order of the ids.
    fn update(dedup: &mut Dedup, instances: &[&Instance]) -> Vec<Instance> {
        let snapshot: Snapshot = instances.iter().map(|&it| it.clone()).collect();
        let candidates = snapshot.iter().map(|instance| Candidate {
            instance: Arc::clone(instance),
            address: Address::of_instance(instance.address()).unwrap(),
        });
        let counting = dedup.update(candidates.collect()).into_iter();
        counting.map(|it| (*it.instance).clone()).collect()
    }

    #[test]
    fn of_one_address_the_instance_that_came_last_counts_as_long_as_it_is_there() {
        // Ids are random: each order of them comes up.
        for _ in 0..32 {
            let (first, second, third) = (
                instance("memory://a"),
                instance("memory://a"),
                instance("memory://a"),
            );
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
        let (one, other) = (instance("memory://a"), instance("memory://a"));
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
            .map(|number| instance(&format!("memory://{number}")))
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
            update(
                &mut dedup,
                &[&instance("memory://a"), &instance("memory://b")],
            );
        }
        assert_eq!(dedup.came.len(), 2);
    }
}
