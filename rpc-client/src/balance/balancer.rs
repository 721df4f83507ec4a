use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use doge_base::Env;
use tokio::time::Instant;

use super::{Balancing, EndpointLoad, clock::millis, current_shares::changes, tier::Tier};

/// How near an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// On this machine.
    Local,
    /// In this zone.
    Zone,
    /// Anywhere.
    Far,
}

/// Chooses among the endpoints of a service. Made anew when they change; what is known of each stays in its [`EndpointLoad`].
#[derive(Debug)]
pub struct Balancer {
    /// Nearest first; none is empty.
    tiers: Vec<Tier>,
    oldest: Oldest,
    env: Env,
}

impl Balancer {
    /// A balancer of these endpoints. Their places in `nodes` are what [`pick`](Self::pick) returns. All that is left to
    /// chance is drawn from `env`, which is that of its endpoints.
    ///
    /// Nearness counts as far as `balancing` asks for it. The size of a subset does not: `nodes` are those used.
    pub fn new(
        balancing: &Balancing,
        nodes: Vec<(Arc<EndpointLoad>, Nearness)>,
        now: Instant,
        env: &Env,
    ) -> Self {
        let mut members: [Vec<_>; 3] = Default::default();
        for (place, (node, nearness)) in nodes.into_iter().enumerate() {
            members[rank(balancing, nearness)].push((place, node));
        }
        let tiers = members.into_iter().filter(|members| !members.is_empty());
        let now = millis(env, now);
        Self {
            tiers: tiers
                .map(|members| Tier::new(balancing, members, now, env))
                .collect(),
            oldest: Oldest::default(),
            env: env.clone(),
        }
    }

    /// Chooses an endpoint of those that `may` be picked; `None` only when none may. The key is what consistent hashing
    /// goes by, see [`HashKey::hash`](super::HashKey::hash).
    ///
    /// The nearest come first, as far as they can carry the calls: a nearer tier takes a call with the probability
    /// min(1, 1.4 · Σ weight · part in slow start of its usable endpoints / Σ weight of all its endpoints), Envoy's
    /// overprovisioning; a call that it does not take goes farther, unless there is no endpoint farther away. One that
    /// asked to be left alone is picked only when no nearer or farther one was found
    /// that did not, and one of weight 0 only when there is no other.
    pub fn pick(
        &self,
        now: Instant,
        key: Option<u64>,
        may: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if let Some(only) = self.only() {
            return may(only).then_some(only);
        }
        let now = millis(&self.env, now);
        let find = |standard| self.find(now, key, standard, &may);
        find(Standard::Ready)
            .or_else(|| find(Standard::Resting))
            .or_else(|| find(Standard::Weightless))
    }

    /// The same for a call that can do without: `None` when all that may be picked asked to be left alone, or have
    /// weight 0. Of many endpoints most of which may not be picked, it does not look at all.
    pub fn pick_ready(
        &self,
        now: Instant,
        key: Option<u64>,
        may: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        self.find(millis(&self.env, now), key, Standard::Ready, &may)
    }

    /// The place of the endpoint, if there is but one.
    #[inline]
    fn only(&self) -> Option<usize> {
        match &*self.tiers {
            [tier] => tier.only(),
            _ => None,
        }
    }

    fn find(
        &self,
        now: u64,
        key: Option<u64>,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match &*self.tiers {
            [tier] => tier.pick(now, key, standard, may),
            tiers => self.find_in(tiers, now, key, standard, may),
        }
    }

    fn find_in(
        &self,
        tiers: &[Tier],
        now: u64,
        key: Option<u64>,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let (farthest, nearer) = tiers.split_last()?;
        if standard == Standard::Weightless {
            // Of nothing there are no parts.
            let mut tiers = tiers.iter();
            return tiers.find_map(|tier| tier.pick(now, key, standard, may));
        }
        // Where all are new none is held back.
        let oldest = farthest.part(now.saturating_sub(self.oldest.since(tiers)));
        let mut near = nearer.iter().enumerate().filter(|(rank, tier)| {
            let lot = self.lot(key, *rank);
            tier.takes(lot, oldest, now, standard, may)
        });
        near.find_map(|(_, tier)| tier.pick(now, key, standard, may))
            .or_else(|| farthest.pick(now, key, standard, may))
            .or_else(|| {
                let mut nearer = nearer.iter();
                nearer.find_map(|tier| tier.pick(now, key, standard, may))
            })
    }

    /// The lot of a call, from 0 to 1, in the drawing of the calls that a tier takes. Calls with the same key have the same
    /// lot, so that a key moves from tier to tier once while endpoints warm up.
    fn lot(&self, key: Option<u64>, rank: usize) -> f32 {
        /// Of splitmix64 (Vigna): the lot of a key has nothing to do with its place on the ring.
        const MIX: u64 = 0xbf58_476d_1ce4_e5b9;
        match key {
            None => self.env.fraction_f32(),
            Some(key) => {
                let key = key.rotate_left(7 * rank as u32);
                let mixed = (key ^ (key >> 30)).wrapping_mul(MIX);
                (mixed >> 40) as f32 / 16_777_216.0
            }
        }
    }
}

/// Since when the endpoint that is there longest is there. Kept, as are the weights of the tiers, until a weight or an age
/// changes.
#[derive(Debug)]
struct Oldest {
    changes: AtomicU64,
    since: AtomicU64,
}

impl Default for Oldest {
    fn default() -> Self {
        Self {
            changes: AtomicU64::new(u64::MAX),
            since: AtomicU64::new(0),
        }
    }
}

impl Oldest {
    /// The moment in milliseconds.
    #[inline]
    fn since(&self, tiers: &[Tier]) -> u64 {
        let changes = tiers.first().map_or(0, |tier| changes(tier.members()));
        if self.changes.load(Acquire) != changes {
            self.look(tiers, changes);
        }
        self.since.load(Relaxed)
    }

    #[cold]
    fn look(&self, tiers: &[Tier], changes: u64) {
        tiers.iter().for_each(Tier::weigh);
        let members = tiers.iter().flat_map(Tier::members);
        let weighty = members.filter(|(_, node)| node.weight() > 0);
        let since = weighty.map(|(_, node)| node.since()).min().unwrap_or(0);
        self.since.store(since, Relaxed);
        self.changes.store(changes, Release);
    }
}

/// What is asked of an endpoint besides that it may be picked; each when nothing better was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standard {
    /// It did not ask to be left alone, and has a weight.
    Ready,
    /// It has a weight.
    Resting,
    /// Nothing.
    Weightless,
}

impl Standard {
    pub(super) fn met_by(self, node: &EndpointLoad, now: u64) -> bool {
        match self {
            Self::Ready => node.weight() > 0 && !node.rests(now),
            Self::Resting => node.weight() > 0,
            Self::Weightless => true,
        }
    }
}

fn rank(balancing: &Balancing, nearness: Nearness) -> usize {
    match nearness {
        Nearness::Local if balancing.prefer_local => 0,
        // What is on this machine is in its zone.
        Nearness::Local | Nearness::Zone if balancing.zone.is_some() => 1,
        _ => 2,
    }
}
