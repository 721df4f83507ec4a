use std::sync::Arc;

use super::{
    Balancing, EndpointLoad, LoadBalancing,
    balancer::Standard,
    choices::{self, Cost},
    ring::Ring,
    slow_start::Ramp,
    turns::{Order, Turns},
};

/// How many endpoints in a row are looked at for one that need not be left alone, when a few draws found none: where
/// nearly all are overloaded, looking through all of them with each call would add to it.
const LOOK_FOR_READY: usize = 64;

/// Up to this many endpoints all are compared for the fewest calls in flight.
const COMPARE_ALL: usize = 16;

/// Endpoints that are equally near, and the way to choose among them.
#[derive(Debug)]
pub(super) struct Tier {
    members: Vec<Member>,
    way: Way,
    ramp: Ramp,
}

/// An endpoint, and its place among all.
pub(super) type Member = (usize, Arc<EndpointLoad>);

#[derive(Debug)]
enum Way {
    PeakEwma,
    LeastActive,
    Turns(Turns),
    Ring(Ring),
}

impl Tier {
    pub(super) fn new(balancing: &Balancing, members: Vec<Member>, now: u64) -> Self {
        let ramp = Ramp::new(balancing.slow_start.as_ref());
        let turns = |order, weighted| Way::Turns(Turns::new(order, weighted, &members, ramp, now));
        let way = match &balancing.policy {
            LoadBalancing::PeakEwma => Way::PeakEwma,
            LoadBalancing::LeastActive => Way::LeastActive,
            LoadBalancing::RoundRobin => turns(Order::Even, false),
            LoadBalancing::Weighted => turns(Order::Even, true),
            LoadBalancing::Random => turns(Order::Random, true),
            LoadBalancing::ConsistentHash(config) => Way::Ring(Ring::new(config, &members)),
        };
        Self { members, way, ramp }
    }

    /// Chooses among the endpoints that may be picked and meet the standard, and returns its place among all.
    pub(super) fn pick(
        &self,
        now: u64,
        key: Option<u64>,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let usable = |at: usize| {
            let (place, node) = &self.members[at];
            standard.met_by(node, now) && may(*place)
        };
        let count = self.members.len();
        let look = match standard {
            Standard::Ready => count.min(LOOK_FOR_READY),
            Standard::Resting | Standard::Weightless => count,
        };
        let of_two = || choices::of_two(count, look, &usable, |at| self.wait(at, now));
        let chosen = match &self.way {
            Way::PeakEwma => of_two(),
            Way::LeastActive => self.least_active(now, look, &usable),
            Way::Turns(turns) => turns
                .next(now, &self.members, &usable)
                .or_else(|| choices::anyone(count, look, &usable))
                .or_else(|| {
                    turns.give_back();
                    None
                }),
            Way::Ring(ring) => match key {
                Some(key) => ring
                    .next(key, &self.members, &usable)
                    // All are at their bound, because some may not be picked.
                    .or_else(|| self.least_active(now, look, &usable)),
                None => of_two(),
            },
        };
        chosen.map(|at| self.members[at].0)
    }

    fn least_active(
        &self,
        now: u64,
        look: usize,
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let count = self.members.len();
        let active = |at: usize| {
            let node = &self.members[at].1;
            let weight = node.effective_weight(now, self.ramp);
            Cost {
                cost: node.in_flight() as f32 / weight,
                weight,
            }
        };
        if count <= COMPARE_ALL {
            choices::of_all(count, usable, active)
        } else {
            choices::of_two(count, look, usable, active)
        }
    }

    fn wait(&self, at: usize, now: u64) -> Cost {
        let node = &self.members[at].1;
        let weight = node.effective_weight(now, self.ramp);
        Cost {
            cost: node.wait(now) / weight,
            weight,
        }
    }
}
