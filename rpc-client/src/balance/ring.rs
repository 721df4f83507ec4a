use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use xxhash_rust::xxh64::xxh64;

use super::{ConsistentHash, tier::Member};

/// The most points on a ring, save that each endpoint has one at least: as many as are made in some 15 ms.
const MOST_POINTS: f64 = 262_144.0;

/// How many points are looked at for an endpoint that has room. A fifth of all has room when the bound is 1.25, so that
/// as good as never none is found where all may be picked.
const LOOK: usize = 128;

/// Points of endpoints on the circle of hashes.
#[derive(Debug)]
pub(super) struct Ring {
    circle: Circle,
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
        // Also of a bound that is not a number.
        let bound = config.bound.max(1.0);
        Self {
            circle: Circle::new(points),
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
        self.circle.owners_from(key).take(LOOK).find(|owner| {
            let room = (self.bounds[*owner] * in_flight as f64).ceil();
            ((members[*owner].1.in_flight() + 1) as f64) <= room && usable(*owner)
        })
    }
}

/// Points in order of their hashes.
#[derive(Debug)]
struct Circle {
    points: Vec<(u64, u32)>,
    /// Where the points begin whose hashes have these bits in front: the next point after a hash is a few steps away,
    /// where a search by halves would miss the cache with each of its steps.
    starts: Vec<u32>,
    /// The bits of a hash behind those in front.
    shift: u32,
}

impl Circle {
    fn new(mut points: Vec<(u64, u32)>) -> Self {
        points.sort_unstable();
        let buckets = (points.len() / 4).next_power_of_two().max(2);
        let shift = u64::BITS - buckets.trailing_zeros();
        let mut starts = Vec::with_capacity(buckets);
        for (at, (hash, _)) in (0..).zip(&points) {
            let bucket = (hash >> shift) as usize;
            starts.resize(starts.len().max(bucket + 1), at);
        }
        starts.resize(buckets, points.len() as u32);
        Self {
            points,
            starts,
            shift,
        }
    }

    /// Whose points come after a hash, once around.
    fn owners_from(&self, hash: u64) -> impl Iterator<Item = usize> {
        let start = self.starts[(hash >> self.shift) as usize] as usize;
        let steps = self.points[start..].iter();
        let first = start + steps.take_while(|(point, _)| *point < hash).count();
        let (before, after) = self.points.split_at(first);
        let around = after.iter().chain(before);
        around.map(|(_, owner)| *owner as usize)
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

#[cfg(test)]
mod tests {
    use doge_base::Env;

    use super::Circle;

    #[test]
    fn owners_come_in_the_order_of_their_points_once_around() {
        let env = Env::seeded(1);
        for count in [0, 1, 2, 9, 1000] {
            let points: Vec<_> = (0..count).map(|owner| (env.number(), owner)).collect();
            let mut sorted = points.clone();
            sorted.sort_unstable();
            let circle = Circle::new(points);
            let edges = sorted
                .iter()
                .flat_map(|(hash, _)| [*hash, hash.wrapping_add(1)]);
            for hash in edges.chain([0, u64::MAX]) {
                let first = sorted.partition_point(|(point, _)| *point < hash);
                let (before, after) = sorted.split_at(first);
                let expected = after.iter().chain(before).map(|(_, owner)| *owner as usize);
                assert!(circle.owners_from(hash).eq(expected), "{hash} of {count}");
            }
        }
    }
}
