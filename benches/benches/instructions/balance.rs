use std::{hint::black_box, sync::Arc, time::Duration};

use doge_rpc::{
    Env,
    client::{
        Balancing, ConsistentHash, HashKey, LoadBalancing,
        balance::{Balancer, EndpointLoad, Nearness, Sample},
    },
};
use gungraun::prelude::*;
use tokio::time::Instant;

use crate::OPERATIONS;

library_benchmark_group!(
    name = picking,
    benchmarks = [pick_of_10, pick_by_peak_ewma, pick_in_zone]
);

// One endpoint out of ten that are under different loads.
#[library_benchmark(setup = Endpoints::ten)]
#[bench::peak_ewma(LoadBalancing::PeakEwma)]
#[bench::least_active(LoadBalancing::LeastActive)]
#[bench::round_robin(LoadBalancing::RoundRobin)]
#[bench::weighted(LoadBalancing::Weighted)]
#[bench::random(LoadBalancing::Random)]
#[bench::consistent_hash(LoadBalancing::ConsistentHash(by_tenant()))]
fn pick_of_10(endpoints: Endpoints) -> Endpoints {
    pick(&endpoints);
    endpoints
}

// One endpoint out of few and out of many, by the usual policy.
#[library_benchmark(setup = Endpoints::many)]
#[bench::of_1(1)]
#[bench::of_2(2)]
#[bench::of_16(16)]
#[bench::of_100(100)]
#[bench::of_1000(1000)]
fn pick_by_peak_ewma(endpoints: Endpoints) -> Endpoints {
    pick(&endpoints);
    endpoints
}

// One endpoint out of ten of which every other one is in the caller's zone.
#[library_benchmark(setup = Endpoints::in_zone)]
#[bench::peak_ewma(LoadBalancing::PeakEwma)]
#[bench::random(LoadBalancing::Random)]
fn pick_in_zone(endpoints: Endpoints) -> Endpoints {
    pick(&endpoints);
    endpoints
}

fn pick(endpoints: &Endpoints) {
    for key in &endpoints.keys {
        let now = black_box(endpoints.now);
        black_box(endpoints.balancer.pick(now, Some(*key), |_| true));
    }
}

struct Endpoints {
    balancer: Balancer,
    keys: Vec<u64>,
    now: Instant,
}

impl Endpoints {
    /// Endpoints of different weights that have answered before, some with calls that still run.
    fn ten(policy: LoadBalancing) -> Self {
        Self::new(policy, 10, None)
    }

    fn many(count: usize) -> Self {
        Self::new(LoadBalancing::PeakEwma, count, None)
    }

    fn in_zone(policy: LoadBalancing) -> Self {
        Self::new(policy, 10, Some("a".into()))
    }

    fn new(policy: LoadBalancing, count: usize, zone: Option<String>) -> Self {
        // What the system draws, too.
        fastrand::seed(1);
        let env = Env::system();
        let start = Instant::now();
        // Ten minutes on: all are past slow start, and latencies have to be decayed.
        let now = start + Duration::from_secs(600);
        let node = |number| {
            let address = format!("tcp://10.0.0.1:{number}");
            let node = EndpointLoad::new(&address, fastrand::u32(50..=150), start, &env);
            let took = Duration::from_micros(fastrand::u64(100..2000));
            node.begin(start).end(start + took, Sample::Answered);
            Arc::new(node)
        };
        let nodes: Vec<_> = (0..count).map(node).collect();
        let balancing = Balancing {
            policy,
            zone,
            ..Balancing::default()
        };
        let near = [Nearness::Zone, Nearness::Far].into_iter().cycle();
        let nodes_with_nearness = nodes.iter().map(Arc::clone).zip(near);
        let balancer = Balancer::new(&balancing, nodes_with_nearness.collect(), start, &env);
        for node in &nodes {
            // A call that is never over stays counted.
            (0..fastrand::u8(..4)).for_each(|_| std::mem::forget(node.begin(now)));
        }
        Self {
            balancer,
            keys: (0..OPERATIONS).map(|_| fastrand::u64(..)).collect(),
            now,
        }
    }
}

fn by_tenant() -> ConsistentHash {
    ConsistentHash::by(HashKey::Metadata("tenant".into()))
}
