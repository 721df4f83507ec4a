//! Calls in virtual time, by callers that make one call after the other.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use doge_base::Env;
use doge_rpc_client::balance::{Balancer, Balancing, EndpointLoad, InFlight, Nearness, Sample};
use tokio::time::Instant;

/// Endpoints, and the chance by which calls are spread over them.
pub(crate) struct Fleet {
    pub(crate) env: Env,
    pub(crate) nodes: Vec<Arc<EndpointLoad>>,
    /// The moment from which on a simulation counts.
    pub(crate) began: Instant,
}

/// How old endpoints are when a simulation begins: past slow start.
const OLD: Duration = Duration::from_secs(3600);

impl Fleet {
    /// Endpoints of these weights that are there for long.
    pub(crate) fn new(seed: u64, weights: &[u32]) -> Self {
        let (env, came) = (Env::seeded(seed), Instant::now());
        let node = |(number, weight): (usize, &u32)| {
            let address = format!("tcp://node-{number}:1");
            Arc::new(EndpointLoad::new(&address, *weight, came, &env))
        };
        Self {
            nodes: weights.iter().enumerate().map(node).collect(),
            began: came + OLD,
            env,
        }
    }

    /// A balancer of them all, those in front in the zone of the caller.
    pub(crate) fn balancer(&self, balancing: &Balancing, in_zone: usize) -> Balancer {
        let near = |(number, node)| {
            let near = number < in_zone;
            let nearness = if near { Nearness::Zone } else { Nearness::Far };
            (Arc::clone(node), nearness)
        };
        let nodes = self.nodes.iter().enumerate().map(near).collect();
        Balancer::new(balancing, nodes, self.began, &self.env)
    }
}

/// What an endpoint does with a call: how many milliseconds it takes, and how it ends.
pub(crate) type Act = (f64, Sample);

/// Callers in a loop.
pub(crate) struct Simulation<'a> {
    fleet: &'a Fleet,
    balancer: Balancer,
    /// Which endpoints may be picked.
    pub(crate) in_rotation: Vec<bool>,
    /// Microseconds since the fleet began.
    now: u64,
    /// When the call of a caller ends.
    ends: BinaryHeap<Reverse<(u64, usize)>>,
    calls: Vec<Option<(InFlight<'a>, Sample)>>,
}

/// What came of some time.
pub(crate) struct Period {
    /// Calls begun at each endpoint.
    pub(crate) calls: Vec<u32>,
    /// Calls that failed at each.
    pub(crate) failures: Vec<u32>,
    /// The longest time without a call at each, in seconds.
    pub(crate) gaps: Vec<f64>,
}

impl<'a> Simulation<'a> {
    /// So many callers, whose first calls are spread over some milliseconds.
    pub(crate) fn new(fleet: &'a Fleet, balancer: Balancer, callers: usize, millis: f64) -> Self {
        let begins = |caller| (millis * 1e3 * caller as f64 / callers as f64) as u64;
        Self {
            fleet,
            balancer,
            in_rotation: vec![true; fleet.nodes.len()],
            now: 0,
            ends: (0..callers)
                .map(|caller| Reverse((begins(caller), caller)))
                .collect(),
            calls: (0..callers).map(|_| None).collect(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.fleet.began + Duration::from_micros(self.now)
    }

    /// Goes on for some seconds. `serve` says what an endpoint does, at a time in seconds since the simulation began.
    pub(crate) fn run(&mut self, seconds: f64, mut serve: impl FnMut(usize, f64) -> Act) -> Period {
        let (from, until) = (self.now, self.now + (seconds * 1e6) as u64);
        let count = self.fleet.nodes.len();
        let mut last = vec![from; count];
        let mut period = Period {
            calls: vec![0; count],
            failures: vec![0; count],
            gaps: vec![0.0; count],
        };
        while let Some(Reverse((moment, caller))) = self.ends.peek().copied()
            && moment < until
        {
            self.ends.pop();
            self.now = moment;
            let now = self.now();
            if let Some((call, sample)) = self.calls[caller].take() {
                call.end(now, sample);
            }
            let key = Some(self.fleet.env.number());
            let at = self.balancer.pick(now, key, |at| self.in_rotation[at]);
            let at = at.expect("some are in rotation");
            let (takes, sample) = serve(at, moment as f64 / 1e6);
            period.calls[at] += 1;
            period.failures[at] += u32::from(sample == Sample::Failed);
            period.gaps[at] = period.gaps[at].max((moment - last[at]) as f64 / 1e6);
            last[at] = moment;
            self.calls[caller] = Some((self.fleet.nodes[at].begin(now), sample));
            // A call takes some time, or a simulation would never end.
            let ends = moment + ((takes * 1e3) as u64).max(1);
            self.ends.push(Reverse((ends, caller)));
        }
        self.now = until;
        for (gap, last) in period.gaps.iter_mut().zip(last) {
            *gap = gap.max((until - last) as f64 / 1e6);
        }
        period
    }
}

impl Period {
    /// The calls of the first so many endpoints, in units of what would be theirs if all had the same.
    pub(crate) fn share(&self, first: usize) -> f64 {
        let all = f64::from(self.calls.iter().sum::<u32>());
        let theirs = f64::from(self.calls[..first].iter().sum::<u32>());
        theirs / all * self.calls.len() as f64 / first as f64
    }

    /// The least and the most that any endpoint has, in units of the mean.
    pub(crate) fn extremes(&self) -> [f64; 2] {
        let mean = f64::from(self.calls.iter().sum::<u32>()) / self.calls.len() as f64;
        let (least, most) = (self.calls.iter().min(), self.calls.iter().max());
        [least, most].map(|calls| f64::from(*calls.expect("there are endpoints")) / mean)
    }

    /// The longest time without a call at any of the first so many endpoints, in seconds.
    pub(crate) fn longest_gap(&self, first: usize) -> f64 {
        self.gaps[..first].iter().copied().fold(0.0, f64::max)
    }
}
