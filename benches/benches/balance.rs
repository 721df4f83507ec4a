//! What it costs to choose an endpoint, by policy and number of endpoints, and to make a balancer anew.
//!
//! ```sh
//! cargo bench -p doge-benches --bench balance
//! ```

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion};
use doge_rpc::{
    Env,
    client::{
        Balancing, ConsistentHash, HashKey, LoadBalancing,
        balance::{Balancer, EndpointLoad, Nearness, Sample},
    },
};
use tokio::time::Instant;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    pick(&mut criterion);
    make(&mut criterion);
    criterion.final_summary();
}

fn policies() -> [(&'static str, LoadBalancing); 6] {
    let by_tenant = ConsistentHash::by(HashKey::Metadata("tenant".into()));
    [
        ("peak EWMA", LoadBalancing::PeakEwma),
        ("least active", LoadBalancing::LeastActive),
        ("round robin", LoadBalancing::RoundRobin),
        ("weighted", LoadBalancing::Weighted),
        ("random", LoadBalancing::Random),
        ("consistent hash", LoadBalancing::ConsistentHash(by_tenant)),
    ]
}

fn pick(criterion: &mut Criterion) {
    for (name, policy) in policies() {
        let mut group = criterion.benchmark_group(format!("pick/{name}"));
        for count in [1, 3, 10, 100, 1000, 10_000] {
            let now = Instant::now();
            let nodes = nodes(count, now);
            let balancer = balancer(&policy, &nodes, now);
            // Ten minutes on: all are past slow start, and latencies have to be decayed.
            let now = now + Duration::from_secs(600);
            let _calls: Vec<_> = nodes
                .iter()
                .flat_map(|node| (0..fastrand::u8(..4)).map(move |_| node.begin(now)))
                .collect();
            group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
                bencher.iter(|| {
                    let key = Some(fastrand::u64(..));
                    balancer.pick(black_box(now), key, |_| true)
                });
            });
        }
    }
}

fn make(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("make, of 10,000");
    group.sample_size(10);
    let now = Instant::now();
    let nodes = nodes(10_000, now);
    for (name, policy) in policies() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| balancer(&policy, &nodes, now));
        });
    }
}

/// Endpoints of different weights that have answered before.
fn nodes(count: usize, now: Instant) -> Vec<Arc<EndpointLoad>> {
    let node = |number| {
        let node = EndpointLoad::new(
            &format!("tcp://10.0.0.1:{number}"),
            fastrand::u32(50..=150),
            now,
            &Env::system(),
        );
        let took = Duration::from_micros(fastrand::u64(100..2000));
        node.begin(now).end(now + took, Sample::Answered);
        Arc::new(node)
    };
    (0..count).map(node).collect()
}

fn balancer(policy: &LoadBalancing, nodes: &[Arc<EndpointLoad>], now: Instant) -> Balancer {
    let balancing = Balancing {
        policy: policy.clone(),
        ..Balancing::default()
    };
    let far = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
    Balancer::new(&balancing, far.collect(), now, &Env::system())
}
