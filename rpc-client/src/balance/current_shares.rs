use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use super::{
    shares::{Shares, gcd},
    slow_start::Ramp,
    tier::Member,
};

/// The shares that endpoints have by weight and slow start, kept current: they are computed when the balancer is made, when
/// a weight changes, and while an endpoint warms up.
#[derive(Debug)]
pub(super) struct CurrentShares {
    /// Whether weights count; otherwise all but 0 are alike.
    weighted: bool,
    ramp: Ramp,
    schedule: ArcSwap<Schedule>,
    /// Up to which of all changes to endpoints the schedule is made.
    changes: AtomicU64,
    /// When it is to be made anew, in milliseconds, because of those that warm up.
    due: AtomicU64,
    /// Held by whoever makes it anew; nobody waits for it.
    making: Mutex<()>,
}

impl CurrentShares {
    pub(super) fn new(weighted: bool, members: &[Member], ramp: Ramp, now: u64) -> Self {
        let changes = changes(members);
        let (schedule, due) = Schedule::new(weighted, members, ramp, now);
        Self {
            weighted,
            ramp,
            schedule: ArcSwap::from_pointee(schedule),
            changes: AtomicU64::new(changes),
            due: AtomicU64::new(due),
            making: Mutex::new(()),
        }
    }

    #[inline]
    pub(super) fn load(&self, now: u64, members: &[Member]) -> Guard<Arc<Schedule>> {
        if now >= self.due.load(Relaxed) || changes(members) != self.changes.load(Relaxed) {
            self.make_anew(now, members);
        }
        self.schedule.load()
    }

    #[cold]
    fn make_anew(&self, now: u64, members: &[Member]) {
        let Some(_making) = self.making.try_lock() else {
            return;
        };
        let changes = changes(members);
        let (schedule, due) = Schedule::new(self.weighted, members, self.ramp, now);
        self.schedule.store(schedule.into());
        self.due.store(due, Relaxed);
        self.changes.store(changes, Relaxed);
    }
}

/// How many changes there have been of what shares are made of.
#[inline]
pub(super) fn changes(members: &[Member]) -> u64 {
    members.first().map_or(0, |(_, node)| node.changes())
}

/// Which slot's turn it is.
///
/// Turns step through the slots by a number without a common divisor with theirs, so that each comes once in a cycle and
/// an endpoint of weight w has exactly w turns in it. The step is about the golden section of the cycle: of all
/// rotations that is the one that spreads any run of slots most evenly, as nginx's smooth weighted round robin spreads
/// an endpoint's turns, but without a look at each endpoint.
#[derive(Debug)]
pub(super) struct Schedule {
    pub(super) shares: Shares,
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

    /// Whose turn it is.
    pub(super) fn turn(&self, turn: u64) -> usize {
        let total = self.shares.total();
        self.shares.owner(turn % total * self.step % total)
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
