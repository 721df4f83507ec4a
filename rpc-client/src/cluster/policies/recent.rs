use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use doge_rpc_core::schema::{HedgeDelay, MethodSchema};
use parking_lot::RwLock;

use super::Policy;

/// Policies of methods, found by what they depend on: names and declared options. So a schema that is learnt again goes
/// on with what was learnt about its calls, and a policy does not keep its schema.
///
/// Bounded, since schemas may come from a peer: two generations of at most `most` policies. A full generation becomes
/// the older one, whose policies are forgotten unless a call asked for them meanwhile.
#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    hasher: RandomState,
    generations: RwLock<Generations>,
}

/// By hash. Two methods of one hash, of which the seed is random, take the place from each other.
type Generation = HashMap<u64, Arc<MethodState>>;

#[derive(Debug, Default)]
struct Generations {
    younger: Generation,
    older: Generation,
}

/// The policy of a method, and what the policy depends on.
#[derive(Debug)]
pub(in crate::cluster) struct MethodState {
    service: String,
    method: String,
    options: Options,
    pub(super) policy: Policy,
}

/// What a schema declares that a policy depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Options {
    retries: Option<u32>,
    hedge: Option<(bool, u64)>,
}

impl Recent {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            hasher: RandomState::new(),
            generations: RwLock::default(),
        }
    }

    /// The policy of this method, which is made if it is not known.
    pub(super) fn get_or_make(
        &self,
        method: &MethodSchema,
        make: impl FnOnce() -> Policy,
    ) -> Arc<MethodState> {
        let options = Options::of(method);
        let hash = (method.service(), method.name(), options);
        let hash = self.hasher.hash_one(hash);
        let known = |generation: &Generation| {
            let known = generation.get(&hash);
            let known = known.filter(|known| known.is_of(method, options));
            known.cloned()
        };
        if let Some(known) = known(&self.generations.read().younger) {
            return known;
        }
        let mut generations = self.generations.write();
        if let Some(known) = known(&generations.younger) {
            return known;
        }
        let state = known(&generations.older).unwrap_or_else(|| {
            Arc::new(MethodState {
                service: method.service().to_owned(),
                method: method.name().to_owned(),
                options,
                policy: make(),
            })
        });
        if generations.younger.len() >= self.most {
            generations.older = std::mem::take(&mut generations.younger);
        }
        generations.younger.insert(hash, Arc::clone(&state));
        state
    }
}

impl MethodState {
    fn is_of(&self, method: &MethodSchema, options: Options) -> bool {
        self.method == method.name() && self.service == method.service() && self.options == options
    }
}

impl Options {
    fn of(method: &MethodSchema) -> Self {
        Self {
            retries: method.retries(),
            hedge: method.hedge().map(|hedge| match hedge {
                HedgeDelay::After(delay) => {
                    (false, u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX))
                }
                HedgeDelay::Percentile(percentile) => (true, percentile.to_bits()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Arc, time::Duration};

    use doge_rpc_core::schema::{HedgeDelay, MethodSchema};

    use super::{super::Policy, Recent};
    use crate::ha::{Plan, Strategy};

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    fn policy() -> Policy {
        Policy {
            plan: Plan::new(Strategy::Failfast),
            limiter: None,
        }
    }

    fn method(name: &'static str) -> MethodSchema {
        MethodSchema::new("s", name, 0)
    }

    #[tokio::test]
    async fn a_schema_that_is_learnt_again_finds_its_policy_and_another_does_not() {
        let recent = Recent::new(10);
        let get = |method: &MethodSchema| recent.get_or_make(method, policy);
        let after = |millis| HedgeDelay::After(Duration::from_millis(millis));
        let different = [
            method("a"),
            method("b"),
            MethodSchema::new("t", "a", 0),
            method("a").with_retries(1),
            method("a").with_retries(2),
            method("a").with_hedge(after(1)),
            method("a").with_hedge(after(2)),
            method("a").with_hedge(HedgeDelay::Percentile(95.0)),
        ];
        let states: Vec<_> = different.iter().map(get).collect();
        for (place, one) in states.iter().enumerate() {
            assert!(Arc::ptr_eq(one, &get(&different[place])));
            assert!(states[..place].iter().all(|other| !Arc::ptr_eq(one, other)));
        }
        let again = get(&method("a").with_docs("learnt again"));
        assert!(Arc::ptr_eq(&again, &states[0]));
    }

    #[tokio::test]
    async fn no_more_than_two_generations_are_kept_and_those_in_use_stay() {
        let recent = Recent::new(2);
        let made = Cell::new(0);
        let get = |name| {
            recent.get_or_make(&method(name), || {
                made.set(made.get() + 1);
                policy()
            })
        };
        let used = get("a");
        for name in NAMES {
            get(name);
            assert!(Arc::ptr_eq(&used, &get("a")));
            let generations = recent.generations.read();
            assert!(generations.younger.len() + generations.older.len() <= 4);
        }
        assert_eq!(made.get(), NAMES.len());
        get("b");
        assert_eq!(made.get(), NAMES.len() + 1, "b was forgotten");
    }
}
