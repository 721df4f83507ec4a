use doge_base::Env;

/// The most slots that there are: two of their numbers can be multiplied.
const MOST: u64 = u32::MAX as u64;

/// As many slots in a row for each endpoint as it has weight.
#[derive(Debug)]
pub(super) struct Shares {
    /// Where the slots of each end.
    ends: Vec<u64>,
}

impl Shares {
    /// Slots by weight, in lowest terms. Where all weights are 0 they count as equal.
    pub(super) fn new(mut weights: Vec<u64>) -> Self {
        if weights.iter().all(|weight| *weight == 0) {
            weights.fill(1);
        }
        let divisor = weights.iter().copied().fold(0, gcd).max(1);
        let sum: u128 = weights
            .iter()
            .map(|weight| u128::from(weight / divisor))
            .sum();
        let mut end = 0;
        let ends = weights.into_iter().map(|weight| {
            end += scaled(weight / divisor, sum);
            end
        });
        Self {
            ends: ends.collect(),
        }
    }

    /// How many slots there are.
    pub(super) fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The slots of one endpoint: how many come before them, and how many there are.
    fn of(&self, owner: usize) -> (u64, u64) {
        let before = match owner {
            0 => 0,
            owner => self.ends[owner - 1],
        };
        (before, self.ends[owner] - before)
    }

    /// Whose slot is drawn.
    pub(super) fn lot(&self, env: &Env) -> usize {
        self.owner(env.below(self.total()))
    }

    /// Whose slot is drawn of those that are not this endpoint's; `None` when it has all.
    pub(super) fn other_lot(&self, first: usize, env: &Env) -> Option<usize> {
        let (before, own) = self.of(first);
        let others = self.total() - own;
        if others == 0 {
            return None;
        }
        let slot = env.below(others);
        Some(self.owner(if slot < before { slot } else { slot + own }))
    }

    /// The part of all slots that is not this endpoint's.
    pub(super) fn rest(&self, owner: usize) -> f32 {
        let total = self.total();
        (total - self.of(owner).1) as f32 / total as f32
    }

    /// Whose slot this is.
    pub(super) fn owner(&self, slot: u64) -> usize {
        self.ends.partition_point(|end| *end <= slot)
    }
}

/// A weight, when there are more slots in all than there may be: in proportion, and at least one.
fn scaled(weight: u64, sum: u128) -> u64 {
    if sum <= u128::from(MOST) || weight == 0 {
        return weight;
    }
    let scaled = u128::from(weight) * u128::from(MOST / 2) / sum;
    u64::try_from(scaled).unwrap_or(MOST).max(1)
}

pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use doge_base::Env;

    use super::{MOST, Shares};

    #[test]
    fn slots_are_as_many_as_weights_in_lowest_terms() {
        let shares = Shares::new(vec![200, 0, 100, 300]);
        assert_eq!(shares.total(), 6);
        let owners: Vec<_> = (0..6).map(|slot| shares.owner(slot)).collect();
        assert_eq!(owners, [0, 0, 2, 3, 3, 3]);
        assert_eq!(Shares::new(vec![0; 4]).total(), 4);
        assert_eq!(Shares::new(vec![]).total(), 0);
    }

    #[test]
    fn there_are_no_more_slots_than_can_be_multiplied_and_each_weight_has_one() {
        let most = u64::from(u32::MAX) * 100;
        for weights in [
            vec![most, most - 1, 1],
            vec![most - 1; 10_000],
            vec![u64::MAX, 1],
        ] {
            let shares = Shares::new(weights.clone());
            assert!(shares.total() <= MOST, "{}", shares.total());
            let last = shares.owner(shares.total() - 1);
            assert_eq!(last, weights.len() - 1);
        }
    }

    #[test]
    fn of_the_others_each_is_drawn_by_its_share() {
        let (shares, env) = (Shares::new(vec![100, 200, 0, 300]), Env::seeded(1));
        for first in 0..4 {
            let mut drawn = [0_u32; 4];
            for _ in 0..6_000 {
                drawn[shares.other_lot(first, &env).unwrap()] += 1;
            }
            let weights = [1, 2, 0, 3];
            let rest = 6 - weights[first];
            for (owner, weight) in weights.into_iter().enumerate() {
                let weight = if owner == first { 0 } else { weight };
                let due = 6_000 * weight / rest;
                assert!(drawn[owner].abs_diff(due) < 200, "{drawn:?} beside {first}");
            }
            assert!((shares.rest(first) - rest as f32 / 6.0).abs() < 1e-6);
        }
        assert_eq!(Shares::new(vec![0, 7]).other_lot(1, &env), None);
    }
}
