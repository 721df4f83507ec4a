use std::sync::Arc;

use tokio::time::Instant;

use super::{Balancing, EndpointLoad, clock::millis, tier::Tier};

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
}

impl Balancer {
    /// A balancer of these endpoints. Their places in `nodes` are what [`pick`](Self::pick) returns.
    ///
    /// Nearness counts as far as `balancing` asks for it. The size of a subset does not: `nodes` are those used.
    pub fn new(
        balancing: &Balancing,
        nodes: Vec<(Arc<EndpointLoad>, Nearness)>,
        now: Instant,
    ) -> Self {
        let mut members: [Vec<_>; 3] = Default::default();
        for (place, (node, nearness)) in nodes.into_iter().enumerate() {
            members[rank(balancing, nearness)].push((place, node));
        }
        let tiers = members.into_iter().filter(|members| !members.is_empty());
        let now = millis(now);
        Self {
            tiers: tiers
                .map(|members| Tier::new(balancing, members, now))
                .collect(),
        }
    }

    /// Chooses an endpoint of those that `may` be picked; `None` only when none may. The key is what consistent hashing
    /// goes by, see [`HashKey::hash`](super::HashKey::hash).
    ///
    /// The nearest come first. One that asked to be left alone is picked only when no nearer or farther one was found
    /// that did not, and one of weight 0 only when there is no other.
    pub fn pick(
        &self,
        now: Instant,
        key: Option<u64>,
        may: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let now = millis(now);
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
        self.find(millis(now), key, Standard::Ready, &may)
    }

    fn find(
        &self,
        now: u64,
        key: Option<u64>,
        standard: Standard,
        may: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut tiers = self.tiers.iter();
        tiers.find_map(|tier| tier.pick(now, key, standard, may))
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
