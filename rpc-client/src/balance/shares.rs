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
