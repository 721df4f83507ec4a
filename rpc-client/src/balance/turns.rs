use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use doge_base::Env;

use super::{current_shares::CurrentShares, slow_start::Ramp, tier::Member};

/// How many turns in a row may go to endpoints that may not be picked, before any other is looked for.
const SKIPS: usize = 16;

/// Endpoints by share: in turn, or at random. A turn takes one counter and a search by halves.
#[derive(Debug)]
pub(super) struct Turns {
    order: Order,
    shares: CurrentShares,
    next: AtomicU64,
}

/// The order of turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Each as often as its share says, evenly in between.
    Even,
    /// By lot.
    Random,
}

impl Turns {
    pub(super) fn new(
        order: Order,
        weighted: bool,
        members: &[Member],
        ramp: Ramp,
        now: u64,
        env: &Env,
    ) -> Self {
        Self {
            order,
            shares: CurrentShares::new(weighted, members, ramp, now),
            // Clients that start together do not all begin with the same endpoint.
            next: AtomicU64::new(env.below(u64::from(u32::MAX))),
        }
    }

    /// The usable endpoint whose turn it is. One that is not usable loses its turn to the next, and as that turn is
    /// used up with it, what it loses is spread over all.
    pub(super) fn next(
        &self,
        now: u64,
        members: &[Member],
        usable: &impl Fn(usize) -> bool,
        env: &Env,
    ) -> Option<usize> {
        let schedule = self.shares.load(now, members);
        (0..SKIPS)
            .map(|_| match self.order {
                Order::Even => schedule.turn(self.next.fetch_add(1, Relaxed)),
                Order::Random => schedule.shares.lot(env),
            })
            .find(|at| usable(*at))
    }

    /// Gives back the turns of a [`next`](Self::next) that found nothing, where no other way did either: they are no
    /// calls, and must not move whose turn it is.
    pub(super) fn give_back(&self) {
        if self.order == Order::Even {
            self.next.fetch_sub(SKIPS as u64, Relaxed);
        }
    }
}
