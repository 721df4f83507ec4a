use std::{sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{Balancer, Balancing, EndpointLoad, LoadBalancing, Nearness};
use tokio::time::Instant;

/// Endpoints of these weights, which came now.
pub(crate) fn nodes(weights: &[u32], now: Instant, env: &Env) -> Vec<Arc<EndpointLoad>> {
    let numbered = weights.iter().enumerate();
    let node = |(number, weight): (usize, &u32)| {
        Arc::new(EndpointLoad::new(
            &format!("tcp://node-{number}:1"),
            *weight,
            now,
            env,
        ))
    };
    numbered.map(node).collect()
}

/// A balancer of these endpoints, without slow start.
pub(crate) fn balancer(
    policy: LoadBalancing,
    nodes: &[Arc<EndpointLoad>],
    now: Instant,
    env: &Env,
) -> Balancer {
    let balancing = Balancing {
        policy,
        slow_start: None,
        ..Balancing::default()
    };
    let nodes = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
    Balancer::new(&balancing, nodes.collect(), now, env)
}

/// How often each endpoint was picked.
pub(crate) fn counts(
    endpoints: usize,
    picks: usize,
    mut pick: impl FnMut() -> Option<usize>,
) -> Vec<usize> {
    let mut counts = vec![0; endpoints];
    for _ in 0..picks {
        counts[pick().expect("all may be picked")] += 1;
    }
    counts
}

/// Whether counts are what a distribution would give by chance in all but one of ten thousand runs: Pearson's
/// chi-square below its mean by 4 standard deviations more.
#[track_caller]
pub(crate) fn assert_fits(counts: &[usize], parts: &[f64]) {
    let (picks, whole) = (
        counts.iter().sum::<usize>() as f64,
        parts.iter().sum::<f64>(),
    );
    let mut chi_square = 0.0;
    for (count, part) in counts.iter().zip(parts) {
        let expected = picks * part / whole;
        if expected == 0.0 {
            assert_eq!(*count, 0, "{counts:?} against {parts:?}");
        } else {
            chi_square += (*count as f64 - expected).powi(2) / expected;
        }
    }
    let freedom = (parts.iter().filter(|part| **part > 0.0).count() - 1) as f64;
    let limit = freedom + 4.0 * (2.0 * freedom).sqrt() + 4.0;
    assert!(
        chi_square < limit,
        "{chi_square} of {limit}: {counts:?} against {parts:?}"
    );
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
