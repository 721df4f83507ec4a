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

/// The first `size` in the order in which this client, known by its seed, prefers instances: those that take calls first.
/// Besides as many as `extra` of those that follow, for which the second is true. In the order of the list.
pub(super) fn subset(
    candidates: Vec<Candidate>,
    seed: u64,
    size: usize,
    extra: usize,
) -> Vec<(Candidate, bool)> {
    if candidates.len() <= size {
        return candidates.into_iter().map(|it| (it, false)).collect();
    }
    let addresses = candidates.iter().map(|it| it.instance.address());
    let mut places = ranked(addresses, seed);
    places.sort_by_key(|place| candidates[*place].instance.weight() == 0);
    let chosen = places.into_iter().take(size + extra).enumerate();
    let mut chosen: Vec<_> = chosen.map(|(rank, place)| (place, rank >= size)).collect();
    chosen.sort_unstable();
    let mut all: Vec<_> = candidates.into_iter().map(Some).collect();
    let chosen = chosen.into_iter();
    chosen
        .filter_map(|(place, is_extra)| Some((all[place].take()?, is_extra)))
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

    /// Those that are not extra.
    fn own(chosen: Vec<(Candidate, bool)>) -> Vec<Candidate> {
        let own = chosen.into_iter().filter(|(_, is_extra)| !is_extra);
        own.map(|(candidate, _)| candidate).collect()
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
            let chosen = own(subset(all().collect(), seed, 3, 0));
            assert!(ports(&chosen).contains(&"7".to_owned()));
            assert_eq!(chosen.len(), 3);
        }
    }

    #[test]
    fn a_wider_subset_holds_the_narrower() {
        for seed in 0..50 {
            let all = || (0..20).map(|number| candidate(number, 100, &[])).collect();
            let of = |size| ports(&own(subset(all(), seed, size, 0)));
            let (few, more) = (of(3), of(6));
            assert!(few.iter().all(|it| more.contains(it)));

            let widened = subset(all(), seed, 3, 3);
            let endpoints: Vec<_> = widened.iter().map(|(it, _)| it.clone()).collect();
            assert_eq!(ports(&endpoints), more);
            assert_eq!(ports(&own(widened)), few, "the other three are extra");
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
