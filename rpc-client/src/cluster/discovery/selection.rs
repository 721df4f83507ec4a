//! Which of the instances that can be called are the endpoints of a cluster.

use doge_rpc_core::transport::Dialect;

use super::Candidate;
use crate::balance::ranked;

/// What a cluster wants of instances.
#[derive(Clone, Debug, Default)]
pub(in crate::cluster) struct Selection {
    /// The dialects that the cluster asks for, if it says so.
    pub(in crate::cluster) dialects: Option<Vec<Dialect>>,
    /// Tags that all instances have which are called.
    pub(in crate::cluster) tags: Vec<Tag>,
    /// How many instances this client calls, if not all.
    pub(in crate::cluster) subset: Option<usize>,
}

/// A tag that instances are selected by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cluster) struct Tag {
    pub(in crate::cluster) name: String,
    pub(in crate::cluster) value: String,
    /// Without an instance that has the tag no call is made, instead of a call to any instance.
    pub(in crate::cluster) is_required: bool,
}

impl Tag {
    fn is_of(&self, candidate: &Candidate) -> bool {
        candidate.instance.tags().get(&self.name) == Some(&self.value)
    }
}

/// Those that have the tags. Where no instance that takes calls has them, those that have the required ones; then the
/// second is true.
pub(super) fn tagged(candidates: Vec<Candidate>, tags: &[Tag]) -> (Vec<Candidate>, bool) {
    let has = |candidate: &Candidate, all: bool| {
        let wanted = tags.iter().filter(|tag| all || tag.is_required);
        wanted.into_iter().all(|tag| tag.is_of(candidate))
    };
    let takes_calls = |candidate: &&Candidate| candidate.instance.weight() > 0;
    let falls_back = !candidates
        .iter()
        .filter(takes_calls)
        .any(|it| has(it, true))
        && tags.iter().any(|tag| !tag.is_required)
        && candidates.iter().any(|it| has(it, false));
    let chosen = candidates.into_iter().filter(|it| has(it, !falls_back));
    (chosen.collect(), falls_back)
}

/// The first `count` in the order in which this client, known by its seed, prefers instances: those that take calls first.
/// In the order of the list.
pub(super) fn subset(candidates: Vec<Candidate>, seed: u64, count: usize) -> Vec<Candidate> {
    if candidates.len() <= count {
        return candidates;
    }
    let addresses = candidates.iter().map(|it| it.instance.address());
    let mut places = ranked(addresses, seed);
    places.sort_by_key(|place| candidates[*place].instance.weight() == 0);
    places.truncate(count);
    places.sort_unstable();
    let mut all: Vec<_> = candidates.into_iter().map(Some).collect();
    places
        .iter()
        .filter_map(|place| all[*place].take())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use doge_registry::{Instance, ServiceKey};

    use super::{Candidate, Tag, subset, tagged};

    fn candidate(number: usize, weight: u32, tags: &[(&str, &str)]) -> Candidate {
        let address = format!("tcp://10.0.0.1:{number}");
        let instance = Instance::new(ServiceKey::new("hr.employee"), &address).with_weight(weight);
        let tag =
            |instance: Instance, (name, value): &(&str, &str)| instance.with_tag(*name, *value);
        Candidate {
            instance: Arc::new(tags.iter().fold(instance, tag)),
            address: address.parse().unwrap(),
        }
    }

    fn ports(candidates: &[Candidate]) -> Vec<String> {
        let port = |it: &Candidate| {
            it.address
                .to_string()
                .rsplit(':')
                .next()
                .unwrap()
                .to_owned()
        };
        candidates.iter().map(port).collect()
    }

    fn tag(name: &str, value: &str, is_required: bool) -> Tag {
        Tag {
            name: name.to_owned(),
            value: value.to_owned(),
            is_required,
        }
    }

    #[test]
    fn a_subset_is_of_instances_that_take_calls_as_long_as_there_are_enough() {
        for seed in 0..50 {
            let all = || (0..10).map(|number| candidate(number, u32::from(number == 7), &[]));
            assert!(ports(&subset(all().collect(), seed, 3)).contains(&"7".to_owned()));
            assert_eq!(subset(all().collect(), seed, 3).len(), 3);
        }
    }

    #[test]
    fn a_wider_subset_holds_the_narrower() {
        for seed in 0..50 {
            let all = || (0..20).map(|number| candidate(number, 100, &[])).collect();
            let (few, more) = (
                ports(&subset(all(), seed, 3)),
                ports(&subset(all(), seed, 6)),
            );
            assert!(few.iter().all(|it| more.contains(it)));
        }
    }

    #[test]
    fn tags_select_and_what_is_missing_falls_back() {
        let all = || {
            vec![
                candidate(1, 100, &[("build", "7")]),
                candidate(2, 100, &[("build", "7"), ("tenant", "a")]),
                candidate(3, 100, &[]),
                candidate(4, 0, &[("build", "9")]),
            ]
        };
        let of = |tags: &[Tag]| {
            let (chosen, falls_back) = tagged(all(), tags);
            (ports(&chosen).join(" "), falls_back)
        };
        for (tags, chosen, falls_back) in [
            (vec![], "1 2 3 4", false),
            (vec![tag("build", "7", false)], "1 2", false),
            (vec![tag("build", "7", true)], "1 2", false),
            (vec![tag("build", "8", false)], "1 2 3 4", true),
            // The only one that has it takes no calls.
            (vec![tag("build", "9", false)], "1 2 3 4", true),
            (vec![tag("build", "8", true)], "", false),
            (
                vec![tag("build", "7", true), tag("tenant", "a", false)],
                "2",
                false,
            ),
            (
                vec![tag("build", "7", true), tag("tenant", "b", false)],
                "1 2",
                true,
            ),
            (
                vec![tag("build", "8", true), tag("tenant", "b", false)],
                "",
                false,
            ),
        ] {
            assert_eq!(of(&tags), (chosen.to_owned(), falls_back), "{tags:?}");
        }
    }
}
