use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use doge_base::Env;
use parking_lot::Mutex;

use super::{
    choices,
    current_shares::changes,
    endpoint_load::{EndpointLoad, UNKNOWN},
    slow_start::Ramp,
    tier::Member,
};

/// From this penalty on an endpoint counts as no less busy than the other of a pair: where calls fail at once, none are in
/// flight.
const FAILING: f32 = 1.5;

/// How long odds hold that were computed from latencies and failures, in milliseconds: the fastest of these, a penalty,
/// changes once in 100 ms.
const HOLDS: u64 = 10;

/// With more endpoints than so many for a millisecond odds hold for longer, so that computing them costs the same.
const PER_MILLI: u64 = 10;

/// How many endpoints are drawn for a pair until one of them may be picked, and how many for the other of the pair.
const DRAWS: (u32, u32) = (8, 5);

/// Choice of an endpoint by odds: share · wait^-3, where
///
/// share = weight · part in slow start,
/// wait = latency · penalty · (1 + calls in flight / (share / mean weight)).
///
/// Where all wait alike, calls go by share, exactly. Without load an endpoint that is f times as slow has about f^-3 of its
/// share, by which it is found out when it is as fast as the others again; under load it has f^-1.5, since its calls in
/// flight count against it as well. Finagle, Linkerd and tower take the lesser wait for certain, so that an endpoint with
/// any lasting disadvantage gets nothing while there are few calls. gRPC's weighted round robin and brpc's locality-aware
/// balancer choose by odds, too, with an exponent of 1, by which a slow endpoint keeps a hundred times as many calls.
///
/// To look at all endpoints with each call would cost more than the rest of a choice. So half of the odds of latency, the
/// power of -1.5, is in lots that are computed each 10 ms; a pair is drawn by these lots, and between the two the other half
/// and the calls in flight decide, the power of two choices. Of two endpoints this is the formula to the letter. Of more it
/// keeps what matters: shares, a pair of bad endpoints is drawn by the square of their odds only, and calls in flight are
/// as they are now.
#[derive(Debug)]
pub(super) struct Odds {
    ramp: Ramp,
    env: Env,
    /// Where the lots of each endpoint end, of [`LOTS`] in all.
    ends: Box<[AtomicU32]>,
    endpoints: Box<[Endpoint]>,
    /// The usual latency in seconds; 0 while none is known. Endpoints look at it when they are called for the first time.
    usual: Arc<AtomicU32>,
    /// Up to which of all changes to endpoints the lots are made.
    changes: AtomicU64,
    /// When they are to be made anew, in milliseconds.
    due: AtomicU64,
    /// Held by whoever makes them anew, with room for what is computed of each; nobody waits for it.
    making: Mutex<Box<[Computed]>>,
}

/// The share that an endpoint without weight is computed with, over the mean.
const LEAST_SHARE: f32 = 1e-6;

/// All lots there are.
const LOTS: u32 = u32::MAX;

/// What decides between two that were drawn; numbers are the bits of an `f32`.
#[derive(Debug, Default)]
struct Endpoint {
    /// (latency · penalty)^-1.5, over the part of all lots that are not its own: a pair has two different endpoints, and
    /// lacks for an endpoint with many lots the pairs with itself. Below 0 if it fails.
    pull: AtomicU32,
    /// By how much a call in flight adds to the wait of the next one.
    per_call: AtomicU32,
}

/// What is computed of an endpoint before all odds are known.
#[derive(Clone, Copy, Debug, Default)]
struct Computed {
    /// Weight times part in slow start, over the mean weight.
    share: f32,
    /// (latency · penalty)^-1.5.
    speed: f32,
    fails: bool,
}

impl Odds {
    pub(super) fn new(members: &[Member], ramp: Ramp, now: u64, env: &Env) -> Self {
        let odds = Self {
            ramp,
            env: env.clone(),
            ends: members.iter().map(|_| AtomicU32::default()).collect(),
            endpoints: members.iter().map(|_| Endpoint::default()).collect(),
            usual: Arc::default(),
            changes: AtomicU64::new(0),
            due: AtomicU64::new(0),
            making: Mutex::new(vec![Computed::default(); members.len()].into()),
        };
        for (_, node) in members {
            node.compare_with(&odds.usual);
        }
        odds.make_anew(now, members);
        odds
    }

    /// The endpoint that is chosen. Where draws find none that is usable, two are looked for in a row of `look` from
    /// anywhere.
    #[inline]
    pub(super) fn choose(
        &self,
        now: u64,
        members: &[Member],
        look: usize,
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if let [_] = members {
            return usable(0).then_some(0);
        }
        if now >= self.due.load(Relaxed) || changes(members) != self.changes.load(Relaxed) {
            self.make_anew(now, members);
        }
        let mut random = self.env.number();
        let mut first = self.owner((random >> 32) as u32);
        if !usable(first) {
            let again = (1..DRAWS.0).map(|_| self.owner(self.env.number() as u32));
            match again.into_iter().find(|at| usable(*at)) {
                Some(at) => first = at,
                None => return self.choose_in_a_row(members, look, usable),
            }
        }
        let draws = if members.len() == 2 { 1 } else { DRAWS.1 };
        for _ in 0..draws {
            let second = self.other_owner(first, random as u32);
            if second != first && usable(second) {
                return Some(self.decide(members, [first, second], [1.0; 2]));
            }
            random = self.env.number();
        }
        Some(first)
    }

    #[cold]
    fn choose_in_a_row(
        &self,
        members: &[Member],
        look: usize,
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let row = choices::in_a_row(members.len(), look, &self.env);
        let mut found = row.filter(|at| usable(*at));
        let first = found.next()?;
        let Some(second) = found.next() else {
            return Some(first);
        };
        // Nothing has been drawn by lots, which so count here.
        let pair = [first, second];
        let lots = pair.map(|at| self.lots_of(at).1 as f32);
        let chances = lots.map(|own| own * (LOTS as f32 - own).max(1.0));
        Some(self.decide(members, pair, chances))
    }

    /// One of two, by what pulls to each and its calls in flight.
    #[inline]
    fn decide(&self, members: &[Member], pair: [usize; 2], chances: [f32; 2]) -> usize {
        let read = |number: &AtomicU32| f32::from_bits(number.load(Relaxed));
        let pulls = pair.map(|at| read(&self.endpoints[at].pull));
        let mut queues = pair.map(|at| {
            let calls = members[at].1.in_flight() as f32;
            calls * read(&self.endpoints[at].per_call)
        });
        if pulls[0] < 0.0 {
            queues[0] = queues[0].max(queues[1]);
        }
        if pulls[1] < 0.0 {
            queues[1] = queues[1].max(queues[0]);
        }
        let cubes = queues.map(|queue| {
            let wait = 1.0 + queue;
            wait * wait * wait
        });
        // Odds of one to the other: pull over cube, times both cubes.
        let first = chances[0] * pulls[0].abs() * cubes[1];
        let second = chances[1] * pulls[1].abs() * cubes[0];
        let chosen = self.env.fraction_f32() * (first + second) >= first;
        pair[usize::from(chosen)]
    }

    /// Whose lot this is. Lots may be made anew meanwhile, so that it may be anybody's.
    #[inline]
    fn owner(&self, lot: u32) -> usize {
        let (mut at, mut count) = (0, self.ends.len());
        while count > 1 {
            let half = count / 2;
            // Without a branch: which way it goes is chance, and no processor foresees it.
            let beyond = self.ends[at + half - 1].load(Relaxed) <= lot;
            at += half & usize::from(beyond).wrapping_neg();
            count -= half;
        }
        at
    }

    /// Whose lot this is, of lots that are not those of `first`.
    #[inline]
    fn other_owner(&self, first: usize, random: u32) -> usize {
        let (before, own) = self.lots_of(first);
        let others = u64::from(LOTS - own);
        let lot = ((u64::from(random) * others) >> 32) as u32;
        let skipped = own & u32::from(lot >= before).wrapping_neg();
        self.owner(lot.saturating_add(skipped))
    }

    /// How many lots come before those of an endpoint, and how many it has.
    #[inline]
    fn lots_of(&self, at: usize) -> (u32, u32) {
        let before = match at {
            0 => 0,
            at => self.ends[at - 1].load(Relaxed),
        };
        let end = self.ends[at].load(Relaxed);
        (before, end.saturating_sub(before))
    }

    #[cold]
    fn make_anew(&self, now: u64, members: &[Member]) {
        let Some(mut computed) = self.making.try_lock() else {
            return;
        };
        let changes = changes(members);
        let scale = Scale::of(members, now);
        self.usual.store(scale.usual.to_bits(), Relaxed);
        let mut sum = 0.0;
        for (computed, (_, node)) in computed.iter_mut().zip(members) {
            let (speed, fails) = scale.speed(node, now);
            let share = scale.weight(node) * node.part(now, self.ramp);
            sum += f64::from(share * speed);
            *computed = Computed {
                share,
                speed,
                fails,
            };
        }
        // Each has a lot at least.
        let lots = f64::from(LOTS - members.len() as u32);
        let (mut before, mut least) = (0.0, 0);
        for (at, computed) in computed.iter().enumerate() {
            let own = f64::from(computed.share * computed.speed) / sum;
            before += own;
            least += 1;
            let end = ((before.min(1.0) * lots) as u32).saturating_add(least);
            self.ends[at].store(end, Relaxed);

            let pull = computed.speed / (1.0 - own).max(1e-9) as f32;
            let pull = if computed.fails { -pull } else { pull };
            // An endpoint without weight takes calls when there is no other.
            let per_call = computed.share.max(LEAST_SHARE).recip();
            let endpoint = &self.endpoints[at];
            endpoint.pull.store(pull.to_bits(), Relaxed);
            endpoint.per_call.store(per_call.to_bits(), Relaxed);
        }
        let holds = HOLDS.max(members.len() as u64 / PER_MILLI);
        self.due.store(now + holds, Relaxed);
        self.changes.store(changes, Relaxed);
    }
}

/// What the odds of all endpoints have in common.
struct Scale {
    /// 0 if none has a weight, and so all count alike.
    mean_weight: f32,
    /// The usual latency: the harmonic mean of the last known ones, in which a latency that is far above all others does
    /// not matter; what has not been sampled lately counts less.
    usual: f32,
}

impl Scale {
    fn of(members: &[Member], now: u64) -> Self {
        let (mut weights, mut fresh, mut speeds) = (0.0, 0.0, 0.0);
        for (_, node) in members {
            weights += node.weight() as f32;
            if let Some(last) = node.last_latency(now) {
                fresh += last.left;
                speeds += last.left / last.seconds;
            }
        }
        Self {
            mean_weight: weights / members.len() as f32,
            usual: if speeds > 0.0 { fresh / speeds } else { 0.0 },
        }
    }

    /// The weight, over the mean.
    fn weight(&self, node: &EndpointLoad) -> f32 {
        if self.mean_weight > 0.0 {
            node.weight() as f32 / self.mean_weight
        } else {
            1.0
        }
    }

    /// (latency · penalty)^-1.5, and whether the endpoint fails.
    ///
    /// An endpoint that was never called counts as fast as is usual, so that it has its share: neither all calls nor
    /// none. What is known of an endpoint that was slow is forgotten down to the usual, and no further.
    fn speed(&self, node: &EndpointLoad, now: u64) -> (f32, bool) {
        let usual = if self.usual > 0.0 {
            self.usual
        } else {
            UNKNOWN.as_secs_f32()
        };
        let latency = node.last_latency(now).map_or(usual, |last| {
            (last.seconds * last.left).max(last.seconds.min(usual))
        });
        let penalty = node.penalty(now);
        let speed = (latency * penalty).recip();
        (speed * speed.sqrt(), penalty > FAILING)
    }
}
