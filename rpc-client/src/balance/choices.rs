//! Ways to choose by cost.

/// What an endpoint costs, and the weight by which it wins a tie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) cost: f32,
    pub(super) weight: f32,
}

/// How often a pair is drawn again of which neither may be picked.
const REDRAWS: usize = 3;

/// The cheaper of two that are drawn at random and differ: the power of two choices.
///
/// Where a pair has no usable one, or only one, another is drawn, so that there is a choice (go-zero); where all draws
/// find none, the next `look` ones in a row are looked at, from anywhere.
pub(super) fn of_two(
    count: usize,
    look: usize,
    usable: &impl Fn(usize) -> bool,
    cost: impl Fn(usize) -> Cost,
) -> Option<usize> {
    if count < 2 {
        return (0..count).find(|at| usable(*at));
    }
    let mut choice = Choice::default();
    for _ in 0..=REDRAWS {
        let first = fastrand::usize(..count);
        let other = fastrand::usize(..count - 1);
        let second = other + usize::from(other >= first);
        for at in [first, second] {
            if choice.best != Some(at) && usable(at) {
                choice.offer(at, cost(at));
            }
        }
        if choice.offers >= 2 {
            return choice.best;
        }
    }
    if choice.best.is_none() {
        for at in in_a_row(count, look).filter(|at| usable(*at)).take(2) {
            choice.offer(at, cost(at));
        }
    }
    choice.best
}

/// The cheapest of all.
pub(super) fn of_all(
    count: usize,
    usable: &impl Fn(usize) -> bool,
    cost: impl Fn(usize) -> Cost,
) -> Option<usize> {
    let mut choice = Choice::default();
    for at in (0..count).filter(|at| usable(*at)) {
        choice.offer(at, cost(at));
    }
    choice.best
}

/// The first usable one of `look` in a row, from anywhere.
pub(super) fn anyone(count: usize, look: usize, usable: &impl Fn(usize) -> bool) -> Option<usize> {
    in_a_row(count, look).find(|at| usable(*at))
}

fn in_a_row(count: usize, look: usize) -> impl Iterator<Item = usize> {
    let first = if count == 0 {
        0
    } else {
        fastrand::usize(..count)
    };
    (first..count).chain(0..first).take(look)
}

/// The cheapest so far. Of those that cost the same each has won in the end with the odds of its weight.
#[derive(Default)]
struct Choice {
    best: Option<usize>,
    least: f32,
    /// Of all that cost as little.
    weight: f32,
    offers: usize,
}

impl Choice {
    fn offer(&mut self, at: usize, Cost { cost, weight }: Cost) {
        self.offers += 1;
        if self.best.is_none() || cost < self.least {
            (self.best, self.least, self.weight) = (Some(at), cost, weight);
        } else if cost == self.least {
            self.weight += weight;
            if fastrand::f32() * self.weight < weight {
                self.best = Some(at);
            }
        }
    }
}
