use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arc_swap::ArcSwap;
use parking_lot::Mutex;

use super::{
    endpoint_load::changes,
    shares::{Shares, gcd},
    slow_start::Ramp,
    tier::Member,
};

/// How many turns in a row may go to endpoints that may not be picked, before any other is looked for.
const SKIPS: usize = 16;

/// Endpoints by share: in turn, or at random.
///
/// Shares are computed when the balancer is made, when a weight changes, and while an endpoint warms up; a turn takes
/// one counter and a search by halves.
#[derive(Debug)]
pub(super) struct Turns {
    order: Order,
    weighted: bool,
    ramp: Ramp,
    schedule: ArcSwap<Schedule>,
    next: AtomicU64,
    /// Up to which of all changes to endpoints the schedule is made.
    changes: AtomicU64,
    /// When it is to be made anew, in milliseconds, because of those that warm up.
    due: AtomicU64,
    /// Held by whoever makes it anew; nobody waits for it.
    making: Mutex<()>,
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
    ) -> Self {
        let changes = changes();
        let (schedule, due) = Schedule::new(weighted, members, ramp, now);
        Self {
            order,
            weighted,
            ramp,
            schedule: ArcSwap::from_pointee(schedule),
            // Clients that start together do not all begin with the same endpoint.
            next: AtomicU64::new(fastrand::u64(..u64::from(u32::MAX))),
            changes: AtomicU64::new(changes),
            due: AtomicU64::new(due),
            making: Mutex::new(()),
        }
    }

    /// The usable endpoint whose turn it is. One that is not usable loses its turn to the next, and as that turn is
    /// used up with it, what it loses is spread over all.
    pub(super) fn next(
        &self,
        now: u64,
        members: &[Member],
        usable: &impl Fn(usize) -> bool,
    ) -> Option<usize> {
        if now >= self.due.load(Relaxed) || changes() != self.changes.load(Relaxed) {
            self.make_anew(now, members);
        }
        let schedule = self.schedule.load();
        (0..SKIPS)
            .map(|_| match self.order {
                Order::Even => schedule.turn(self.next.fetch_add(1, Relaxed)),
                Order::Random => schedule.lot(),
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

    fn make_anew(&self, now: u64, members: &[Member]) {
        let Some(_making) = self.making.try_lock() else {
            return;
        };
        let changes = changes();
        let (schedule, due) = Schedule::new(self.weighted, members, self.ramp, now);
        self.schedule.store(schedule.into());
        self.due.store(due, Relaxed);
        self.changes.store(changes, Relaxed);
    }
}

/// Which slot's turn it is.
///
/// Turns step through the slots by a number without a common divisor with theirs, so that each comes once in a cycle and
/// an endpoint of weight w has exactly w turns in it. The step is about the golden section of the cycle: of all
/// rotations that is the one that spreads any run of slots most evenly, as nginx's smooth weighted round robin spreads
/// an endpoint's turns, but without a look at each endpoint.
#[derive(Debug)]
struct Schedule {
    shares: Shares,
    step: u64,
}

impl Schedule {
    /// The schedule, and the moment in milliseconds by which it is to be made anew.
    fn new(weighted: bool, members: &[Member], ramp: Ramp, now: u64) -> (Self, u64) {
        let mut due = u64::MAX;
        let weights = members.iter().map(|(_, node)| {
            let age = node.age(now);
            if let Some(step) = ramp.step(age) {
                due = due.min(now + step);
            }
            let weight = match node.weight() {
                weight if weighted => u64::from(weight),
                weight => u64::from(weight > 0),
            };
            weight * (ramp.part(age) * 100.0).round() as u64
        });
        let shares = Shares::new(weights.collect());
        let step = golden_step(shares.total());
        (Self { shares, step }, due)
    }

    fn turn(&self, turn: u64) -> usize {
        let total = self.shares.total();
        self.shares.owner(turn % total * self.step % total)
    }

    fn lot(&self) -> usize {
        self.shares.owner(fastrand::u64(..self.shares.total()))
    }
}

/// A step without a common divisor with `total`, near its golden section.
fn golden_step(total: u64) -> u64 {
    /// How far from the golden section it is looked for.
    const REACH: u64 = 32;
    let golden = (total as f64 * 0.618_033_988_749_895).round() as u64;
    let near = golden.saturating_sub(REACH)..golden.saturating_add(REACH + 1);
    near.filter(|step| *step > 0 && gcd(total, *step) == 1)
        .min_by_key(|step| (unevenness(total, *step), step.abs_diff(golden)))
        .unwrap_or(1)
}

/// The largest partial quotient of `step / total`: how unevenly a rotation by it may spread.
fn unevenness(mut total: u64, mut step: u64) -> u64 {
    let mut largest = 0;
    while step > 0 {
        largest = largest.max(total / step);
        (total, step) = (step, total % step);
    }
    largest
}
