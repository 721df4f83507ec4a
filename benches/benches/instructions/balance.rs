use std::{hint::black_box, sync::Arc, time::Duration};

use doge_rpc::client::{
    Balancing, ConsistentHash, HashKey, LoadBalancing,
    balance::{Balancer, EndpointLoad, Nearness, Sample},
};
use gungraun::prelude::*;
use tokio::time::Instant;

use crate::OPERATIONS;

library_benchmark_group!(name = picking, benchmarks = pick_of_10);

// One endpoint out of ten that are under different loads.
#[library_benchmark(setup = Endpoints::ten)]
#[bench::peak_ewma(LoadBalancing::PeakEwma)]
#[bench::least_active(LoadBalancing::LeastActive)]
#[bench::round_robin(LoadBalancing::RoundRobin)]
#[bench::weighted(LoadBalancing::Weighted)]
#[bench::random(LoadBalancing::Random)]
#[bench::consistent_hash(LoadBalancing::ConsistentHash(by_tenant()))]
fn pick_of_10(endpoints: Endpoints) -> Endpoints {
    for key in &endpoints.keys {
        let now = black_box(endpoints.now);
        black_box(endpoints.balancer.pick(now, Some(*key), |_| true));
    }
    endpoints
}

struct Endpoints {
    balancer: Balancer,
    keys: Vec<u64>,
    now: Instant,
}

impl Endpoints {
    /// Endpoints of different weights that have answered before, some with calls that still run.
    fn ten(policy: LoadBalancing) -> Self {
        fastrand::seed(1);
        let start = Instant::now();
        // Ten minutes on: all are past slow start, and latencies have to be decayed.
        let now = start + Duration::from_secs(600);
        let node = |number| {
            let address = format!("tcp://10.0.0.1:{number}");
            let node = EndpointLoad::new(&address, fastrand::u32(50..=150), start);
            let took = Duration::from_micros(fastrand::u64(100..2000));
            node.begin(start).end(start + took, Sample::Answered);
            Arc::new(node)
        };
        let nodes: Vec<_> = (0..10).map(node).collect();
        let balancing = Balancing {
            policy,
            ..Balancing::default()
        };
        let far = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
        let balancer = Balancer::new(&balancing, far.collect(), start);
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
