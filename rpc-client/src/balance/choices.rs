//! Ways to choose by cost, and without.

use doge_base::Env;

/// What an endpoint costs, and the weight by which it wins a tie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) cost: f32,
    pub(super) weight: f32,
}

/// The cheapest of these.
pub(super) fn cheapest(costs: impl Iterator<Item = (usize, Cost)>, env: &Env) -> Option<usize> {
    let mut choice = Choice::default();
    for (at, cost) in costs {
        choice.offer(at, cost, env);
    }
    choice.best
}

/// `look` places in a row, from anywhere.
pub(super) fn in_a_row(count: usize, look: usize, env: &Env) -> impl Iterator<Item = usize> {
    let first = env.index(count);
    (first..count).chain(0..first).take(look)
}

/// The cheapest so far. Of those that cost the same each has won in the end with the odds of its weight.
#[derive(Default)]
struct Choice {
    best: Option<usize>,
    least: f32,
    /// Of all that cost as little.
    weight: f32,
}

impl Choice {
    fn offer(&mut self, at: usize, Cost { cost, weight }: Cost, env: &Env) {
        if self.best.is_none() || cost < self.least {
            (self.best, self.least, self.weight) = (Some(at), cost, weight);
        } else if cost == self.least {
            self.weight += weight;
            if env.fraction_f32() * self.weight < weight {
                self.best = Some(at);
            }
        }
    }
}
