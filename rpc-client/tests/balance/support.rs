use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use doge_rpc_client::balance::{
    Balancer, Balancing, EndpointLoad, InFlight, LoadBalancing, Nearness, Sample,
};
use tokio::time::Instant;

/// Endpoints of these weights that are past their slow start.
pub(crate) fn nodes(weights: &[u32], now: Instant) -> Vec<Arc<EndpointLoad>> {
    let numbered = weights.iter().enumerate();
    let node = |(number, weight): (usize, &u32)| {
        Arc::new(EndpointLoad::new(
            &format!("tcp://node-{number}:1"),
            *weight,
            now,
        ))
    };
    numbered.map(node).collect()
}

/// A balancer of these endpoints, without slow start.
pub(crate) fn balancer(
    policy: LoadBalancing,
    nodes: &[Arc<EndpointLoad>],
    now: Instant,
) -> Balancer {
    let balancing = Balancing {
        policy,
        slow_start: None,
        ..Balancing::default()
    };
    let nodes = nodes.iter().map(|node| (Arc::clone(node), Nearness::Far));
    Balancer::new(&balancing, nodes.collect(), now)
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

/// Calls that arrive at random, at a rate, from a moment on, and end when and as the endpoint says.
pub(crate) struct Load<'a> {
    nodes: &'a [Arc<EndpointLoad>],
    balancer: Balancer,
    now: Instant,
    arrives: Instant,
    under_way: BinaryHeap<Reverse<(Instant, usize)>>,
    calls: Vec<Option<(InFlight<'a>, Sample)>>,
}

impl<'a> Load<'a> {
    pub(crate) fn new(policy: LoadBalancing, nodes: &'a [Arc<EndpointLoad>], now: Instant) -> Self {
        Self {
            nodes,
            balancer: balancer(policy, nodes, now),
            now,
            arrives: now,
            under_way: BinaryHeap::new(),
            calls: Vec::new(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    /// Goes on for some time at so many calls per second. Returns how many each endpoint got.
    pub(crate) fn run(
        &mut self,
        time: Duration,
        rate: f64,
        mut serve: impl FnMut(usize) -> (Duration, Sample),
    ) -> Vec<usize> {
        let until = self.now + time;
        let mut counts = vec![0; self.nodes.len()];
        self.arrives = self.arrives.max(self.now);
        while self.arrives < until {
            self.now = self.arrives;
            self.end_until(self.now);
            let at = self
                .balancer
                .pick(self.now, None, |_| true)
                .expect("all may be picked");
            counts[at] += 1;
            let (takes, sample) = serve(at);
            self.under_way
                .push(Reverse((self.now + takes, self.calls.len())));
            self.calls
                .push(Some((self.nodes[at].begin(self.now), sample)));
            // Independent callers: the time between two calls is exponential.
            let pause = -(1.0 - fastrand::f64()).ln() / rate;
            self.arrives += Duration::from_secs_f64(pause);
        }
        self.end_until(until);
        self.now = until;
        counts
    }

    fn end_until(&mut self, moment: Instant) {
        while let Some(Reverse((ends, call))) = self.under_way.peek().copied()
            && ends <= moment
        {
            self.under_way.pop();
            let (call, sample) = self.calls[call].take().expect("a call ends once");
            call.end(ends, sample);
        }
    }
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
