use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use doge_base::Env;

use super::{
    Balancing, EndpointLoad, LoadBalancing,
    balancer::Standard,
    choices::{self, Cost},
    current_shares::CurrentShares,
    odds::Odds,
    ring::Ring,
    slow_start::Ramp,
    turns::{Order, Turns},
};

/// How many endpoints in a row are looked at for one that need not be left alone, when a few draws found none: where
/// nearly all are overloaded, looking through all of them with each call would add to it.
const LOOK_FOR_READY: usize = 64;

/// Up to this many endpoints all are compared; of more a pair that is drawn by lot.
const COMPARE_ALL: usize = 16;

/// How many endpoints are drawn for a pair, at most: some may not be picked.
const DRAWS: usize = 8;

/// By how much more than its part of all calls a nearer tier may take: Envoy's overprovisioning factor. A tier sends calls
/// farther once less than 72 % of it can be used.
const OVERPROVISIONING: f32 = 1.4;

/// How long what is usable of a large tier is taken for known, in milliseconds.
const CAPACITY_HOLDS: u64 = 100;

/// Endpoints that are equally near, and the way to choose among them.
#[derive(Debug)]
pub(super) struct Tier {
    members: Vec<Member>,
    way: Way,
    ramp: Ramp,
    env: Env,
    /// The weight of all its endpoints, as the bits of an `f32`.
    registered: AtomicU32,
    /// Of a large tier: the weight that can be used, as the bits of an `f32`, and until when that holds.
    capacity: AtomicU64,
}

/// An endpoint, and its place among all.
pub(super) type Member = (usize, Arc<EndpointLoad>);

#[derive(Debug)]
enum Way {
    PeakEwma(Odds),
    /// With what a pair is drawn by, where not all are compared.
    LeastActive(Option<CurrentShares>),
    Turns(Turns),
    /// With the way for calls without a key.
    Ring(Ring, Odds),
}

impl Tier {
    pub(super) fn new(balancing: &Balancing, members: Vec<Member>, now: u64, env: &Env) -> Self {
        let ramp = Ramp::new(balancing.slow_start.as_ref());
        let turns =
            |order, weighted| Way::Turns(Turns::new(order, weighted, &members, ramp, now, env));
        let odds = || Odds::new(&members, ramp, now, env);
        let way = match &balancing.policy {
            LoadBalancing::PeakEwma => Way::PeakEwma(odds()),
            LoadBalancing::LeastActive => {
                let draws = members.len() > COMPARE_ALL;
                Way::LeastActive(draws.then(|| CurrentShares::new(true, &members, ramp, now)))
            }
            LoadBalancing::RoundRobin => turns(Order::Even, false),
            LoadBalancing::Weighted => turns(Order::Even, true),
            LoadBalancing::Random => turns(Order::Random, true),
            LoadBalancing::ConsistentHash(config) => Way::Ring(Ring::new(config, &members), odds()),
        };
        Self {
            members,
            way,
            ramp,
            env: env.clone(),
            registered: AtomicU32::new(0),
            capacity: AtomicU64::new(0),
        }
    }

    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The place of its endpoint, if there is but one.
    #[inline]
    pub(super) fn only(&self) -> Option<usize> {
        match &*self.members {
            [(place, _)] => Some(*place),
            _ => None,
        }
    }

    /// Weighs its endpoints, after a weight has changed.
    pub(super) fn weigh(&self) {
        let weights = self.members.iter().map(|(_, node)| node.weight() as f32);
        let registered: f32 = weights.sum();
        self.registered.store(registered.to_bits(), Relaxed);
        self.capacity.store(0, Relaxed);
    }

    /// Whether this tier takes a call for which `lot`, from 0 to 1, was drawn: of all calls it takes 1.4 times the part of
    /// its weight that can be used now, less slow start. `oldest` is the part in slow start of the endpoint that is there
    /// longest, wherever it is.
    pub(super) fn takes(
        &self,
        lot: f32,
        oldest: f32,
        now: u64,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> bool {
        let registered = f32::from_bits(self.registered.load(Relaxed));
        let needed = lot * registered * oldest / OVERPROVISIONING;
        if self.members.len() <= COMPARE_ALL {
            return self.usable_weight(needed, now, standard, may) > needed;
        }
        let known = self.capacity.load(Relaxed);
        // Both are cut off alike.
        let holds = (known as u32).wrapping_sub(now as u32);
        if (1..=CAPACITY_HOLDS as u32).contains(&holds) {
            return f32::from_bits((known >> 32) as u32) > needed;
        }
        let usable = self.usable_weight(f32::INFINITY, now, standard, may);
        let until = u64::from((now + CAPACITY_HOLDS) as u32);
        let counted = u64::from(usable.to_bits()) << 32 | until;
        self.capacity.store(counted, Relaxed);
        usable > needed
    }

    /// The weight that can be used, less slow start; counted until it is more than enough.
    fn usable_weight(
        &self,
        enough: f32,
        now: u64,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> f32 {
        let mut usable = 0.0;
        for (place, node) in &self.members {
            if standard.met_by(node, now) && may(*place) {
                usable += node.effective_weight(now, self.ramp);
                if usable > enough {
                    break;
                }
            }
        }
        usable
    }

    /// The part in slow start of an endpoint of this age in milliseconds.
    pub(super) fn part(&self, age: u64) -> f32 {
        self.ramp.part(age)
    }

    /// Chooses among the endpoints that may be picked and meet the standard, and returns its place among all.
    #[inline]
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
        let chosen = match &self.way {
            Way::PeakEwma(odds) => odds.choose(now, &self.members, look, &usable),
            Way::LeastActive(lots) => self.least_active(lots.as_ref(), now, look, &usable),
            Way::Turns(turns) => turns
                .next(now, &self.members, &usable, &self.env)
                .or_else(|| choices::in_a_row(count, look, &self.env).find(|at| usable(*at)))
                .or_else(|| {
                    turns.give_back();
                    None
                }),
            Way::Ring(ring, odds) => key
                .and_then(|key| ring.next(key, &self.members, &usable))
                // Or all are at their bound, because some may not be picked.
                .or_else(|| odds.choose(now, &self.members, look, &usable)),
        };
        chosen.map(|at| self.members[at].0)
    }

    /// The one with the fewest calls in flight for its weight, of all or of a pair that is drawn by these lots.
    fn least_active(
        &self,
        lots: Option<&CurrentShares>,
        now: u64,
        look: usize,
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let active = |at: usize, weight: f32, chance: f32| {
            let node = &self.members[at].1;
            let cost = node.in_flight() as f32 / weight;
            let weight = chance;
            (at, Cost { cost, weight })
        };
        let weight = |at: usize| self.members[at].1.effective_weight(now, self.ramp);
        let Some(lots) = lots else {
            let all = (0..self.members.len()).filter(|at| usable(*at));
            let costs = all.map(|at| {
                let weight = weight(at);
                active(at, weight, weight)
            });
            return choices::cheapest(costs, &self.env);
        };
        let (pair, rests) = self.draw_pair(lots, now, look, usable);
        let drawn = pair.into_iter().zip(rests);
        let costs = drawn.filter_map(|(at, rest)| {
            let at = at?;
            Some(active(at, weight(at), rest.recip()))
        });
        choices::cheapest(costs, &self.env)
    }

    /// Two usable endpoints that differ, by lots of weight and slow start, and the part of all lots that each leaves to the
    /// others. Where some draws find none, from anywhere in a row; where they find one, that one.
    #[inline]
    fn draw_pair(
        &self,
        lots: &CurrentShares,
        now: u64,
        look: usize,
        usable: &impl Fn(usize) -> bool,
    ) -> ([Option<usize>; 2], [f32; 2]) {
        let schedule = lots.load(now, &self.members);
        let shares = &schedule.shares;
        let mut first = None;
        for _ in 0..DRAWS {
            let drawn = match first {
                None => Some(shares.lot(&self.env)),
                Some(first) => shares.other_lot(first, &self.env),
            };
            let Some(at) = drawn.filter(|at| usable(*at)) else {
                continue;
            };
            match first {
                None => first = Some(at),
                Some(first) => {
                    return (
                        [Some(first), Some(at)],
                        [shares.rest(first), shares.rest(at)],
                    );
                }
            }
        }
        if first.is_some() {
            return ([first, None], [1.0; 2]);
        }
        let row = choices::in_a_row(self.members.len(), look, &self.env);
        let mut found = row.filter(|at| usable(*at));
        ([found.next(), found.next()], [1.0; 2])
    }
}
