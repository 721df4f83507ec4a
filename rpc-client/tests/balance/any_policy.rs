//! What holds whatever the policy.

use std::{sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{
    Balancer, Balancing, ConsistentHash, EndpointLoad, HashKey, LoadBalancing, Nearness, Sample,
};
use proptest::prelude::*;
use tokio::time::Instant;

#[derive(Clone, Debug)]
struct Endpoint {
    weight: u32,
    active: usize,
    rests: bool,
    may: bool,
    nearness: Nearness,
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let weight = prop_oneof![Just(0), Just(1), Just(100), 0..1000_u32];
    let nearness = prop_oneof![
        Just(Nearness::Local),
        Just(Nearness::Zone),
        Just(Nearness::Far)
    ];
    let fields = (weight, 0..4_usize, any::<bool>(), any::<bool>(), nearness);
    fields.prop_map(|(weight, active, rests, may, nearness)| Endpoint {
        weight,
        active,
        rests,
        may,
        nearness,
    })
}

fn policy() -> impl Strategy<Value = LoadBalancing> {
    let mut by_key = ConsistentHash::by(HashKey::Metadata("key".into()));
    by_key.points = 16;
    prop_oneof![
        Just(LoadBalancing::PeakEwma),
        Just(LoadBalancing::LeastActive),
        Just(LoadBalancing::RoundRobin),
        Just(LoadBalancing::Weighted),
        Just(LoadBalancing::Random),
        Just(LoadBalancing::ConsistentHash(by_key)),
    ]
}

proptest! {
    #[test]
    fn one_is_picked_whenever_any_may_be_and_never_one_that_may_not(
        policy in policy(),
        endpoints in prop::collection::vec(endpoint(), 0..100),
        prefer_local in any::<bool>(),
        zone in prop::option::of(Just(String::from("a"))),
        key in any::<Option<u64>>(),
        seed in any::<u64>(),
    ) {
        let env = Env::seeded(seed);
        let now = Instant::now();
        let numbered = endpoints.iter().enumerate();
        let nodes: Vec<_> = numbered
            .map(|(number, endpoint)| {
                Arc::new(EndpointLoad::new(&format!("tcp://node-{number}:1"), endpoint.weight, now, &env))
            })
            .collect();
        let balancing = Balancing { policy, prefer_local, zone, ..Balancing::default() };
        let near = nodes.iter().cloned().zip(endpoints.iter().map(|endpoint| endpoint.nearness));
        let balancer = Balancer::new(&balancing, near.collect(), now, &env);
        let mut calls = Vec::new();
        for (node, endpoint) in nodes.iter().zip(&endpoints) {
            calls.extend((0..endpoint.active).map(|_| node.begin(now)));
            if endpoint.rests {
                let pushback = Duration::from_secs(1);
                node.begin(now).end(now, Sample::Overloaded { pushback });
            }
        }
        for _ in 0..20 {
            let picked = balancer.pick(now, key, |at| endpoints[at].may);
            prop_assert_eq!(picked.is_some(), endpoints.iter().any(|endpoint| endpoint.may));
            if let Some(at) = picked {
                prop_assert!(endpoints[at].may);
                let with_weight = |endpoint: &Endpoint| endpoint.may && endpoint.weight > 0;
                if endpoints.iter().any(with_weight) {
                    prop_assert!(endpoints[at].weight > 0, "one of weight 0 instead of another");
                }
            }
        }
    }
}
