use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use xxhash_rust::xxh64::xxh64;

use super::{ConsistentHash, tier::Member};

/// The most points on a ring, save that each endpoint has one at least: as many as are made in some 10 ms.
const MOST_POINTS: f64 = 262_144.0;

/// How many points are looked at for an endpoint that has room. A fifth of all has room when the bound is 1.25, so that
/// as good as never none is found where all may be picked.
const LOOK: usize = 128;

/// Points of endpoints on the circle of hashes.
#[derive(Debug)]
pub(super) struct Ring {
    /// Where each point is, in order.
    hashes: Vec<u64>,
    /// Whose it is.
    owners: Vec<u32>,
    /// The part of all calls in flight that each endpoint may have.
    bounds: Vec<f64>,
    /// Calls in flight on all the endpoints.
    total: Arc<AtomicUsize>,
}

impl Ring {
    pub(super) fn new(config: &ConsistentHash, members: &[Member]) -> Self {
        let weights = weights(members);
        let sum: f64 = weights.iter().sum();
        let most = sum * per_weight(config);
        let thinned = (MOST_POINTS / most).min(1.0);
        let mut points = Vec::with_capacity((most * thinned) as usize + members.len());
        for ((owner, (_, node)), weight) in (0..).zip(members).zip(&weights) {
            if *weight > 0.0 {
                let count = (weight * per_weight(config) * thinned).round().max(1.0) as u64;
                let address = node.address().as_bytes();
                points.extend((0..count).map(|point| (xxh64(address, point), owner)));
            }
        }
        points.sort_unstable();
        let (hashes, owners) = points.into_iter().unzip();
        // Also of a bound that is not a number.
        let bound = config.bound.max(1.0);
        Self {
            hashes,
            owners,
            bounds: weights.iter().map(|weight| bound * weight / sum).collect(),
            total: share_total(members),
        }
    }

    /// The next usable endpoint after the key that has room.
    pub(super) fn next(
        &self,
        key: u64,
        members: &[Member],
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let in_flight = self.total.load(Relaxed) + 1;
        let first = self.hashes.partition_point(|hash| *hash < key);
        let (before, after) = self.owners.split_at(first);
        let owners = after.iter().chain(before).map(|owner| *owner as usize);
        owners.take(LOOK).find(|owner| {
            let room = (self.bounds[*owner] * in_flight as f64).ceil();
            ((members[*owner].1.in_flight() + 1) as f64) <= room && usable(*owner)
        })
    }
}

fn per_weight(config: &ConsistentHash) -> f64 {
    f64::from(config.points.max(1)) / 100.0
}

/// Weights; where all are 0 they count as equal.
fn weights(members: &[Member]) -> Vec<f64> {
    let weights = members.iter().map(|(_, node)| f64::from(node.weight()));
    let mut weights: Vec<_> = weights.collect();
    if weights.iter().all(|weight| *weight == 0.0) {
        weights.fill(100.0);
    }
    weights
}

/// The count that these endpoints' calls go into: the one that some of them have from an earlier ring, or a new one.
fn share_total(members: &[Member]) -> Arc<AtomicUsize> {
    let known = members.iter().find_map(|(_, node)| node.total());
    let total = known.map(Arc::clone).unwrap_or_default();
    for (_, node) in members {
        node.count_into(&total);
    }
    total
}
