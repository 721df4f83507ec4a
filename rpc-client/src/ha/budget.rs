use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::RetryBudget;

/// How many retries the calls to one target may still cost.
///
/// As Finagle has it: each call deposits a part of a retry, each retry withdraws a whole one, a reserve is there from
/// the start, and both sides are forgotten after a while, slot by slot ("leaky"). So a retry only happens when the
/// retries of the last ten slots, itself among them, are no more than the reserve and the calls of these slots allow.
#[derive(Debug)]
pub(crate) struct Budget {
    start: Instant,
    slot: Duration,
    /// In millionths of a retry, as all amounts here.
    deposit: u64,
    reserve: u64,
    /// Calls of each slot of time.
    deposits: [Slot; SLOTS],
    /// Retries of each slot of time. Under a lock, so that racing withdrawals do not take more than there is.
    withdrawals: Mutex<[(u32, u32); SLOTS]>,
}

/// Slots that the memory is cut into, as in Finagle's and tower's.
const SLOTS: usize = 10;

const RETRY: u64 = 1_000_000;

impl Budget {
    /// A full one. A ratio that is no number allows no retries.
    pub(crate) fn new(config: &RetryBudget, now: Instant) -> Self {
        let slot = (config.ttl / SLOTS as u32).max(Duration::from_millis(1));
        let seconds = (slot * SLOTS as u32).as_secs_f64();
        Self {
            start: now,
            slot,
            // A float becomes the nearest integer there is, and no number becomes nothing.
            deposit: (config.ratio.clamp(0.0, 1_000.0) * RETRY as f64).round() as u64,
            reserve: (f64::from(config.min_per_second) * seconds * RETRY as f64).round() as u64,
            deposits: Default::default(),
            withdrawals: Mutex::default(),
        }
    }

    /// Counts a call.
    pub(crate) fn deposit(&self, now: Instant) {
        let number = self.slot_number(now);
        self.deposits[number as usize % SLOTS].count(number);
    }

    /// How many retries there are.
    pub(crate) fn left(&self, now: Instant) -> u64 {
        let (income, retries) = self.balance(self.slot_number(now), &self.withdrawals.lock());
        (income / RETRY).saturating_sub(retries)
    }

    /// Takes a retry, if there is one.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let number = self.slot_number(now);
        let mut withdrawals = self.withdrawals.lock();
        let (income, retries) = self.balance(number, &withdrawals);
        if income < (retries + 1).saturating_mul(RETRY) {
            return false;
        }
        let (slot, retries) = &mut withdrawals[number as usize % SLOTS];
        if *slot != number {
            (*slot, *retries) = (number, 0);
        }
        *retries += 1;
        true
    }

    /// What the calls of the last slots allow, in millionths, and the retries of these slots.
    fn balance(&self, number: u32, withdrawals: &[(u32, u32); SLOTS]) -> (u64, u64) {
        let remembered = |slot: u32| number.wrapping_sub(slot) < SLOTS as u32;
        let deposits = self.deposits.iter().map(Slot::load);
        let calls: u64 = deposits
            .filter(|(slot, _)| remembered(*slot))
            .map(|(_, calls)| u64::from(calls))
            .sum();
        let retries: u64 = withdrawals
            .iter()
            .filter(|(slot, _)| remembered(*slot))
            .map(|(_, retries)| u64::from(*retries))
            .sum();
        let income = self
            .reserve
            .saturating_add(calls.saturating_mul(self.deposit));
        (income, retries)
    }

    fn slot_number(&self, now: Instant) -> u32 {
        let slots = now.saturating_duration_since(self.start).as_nanos() / self.slot.as_nanos();
        slots as u32
    }
}

/// How many calls began in a slot of time: its number and the count, in one atomic.
#[derive(Debug, Default)]
struct Slot(AtomicU64);

impl Slot {
    fn load(&self) -> (u32, u32) {
        let both = self.0.load(Ordering::Relaxed);
        ((both >> 32) as u32, both as u32)
    }

    fn count(&self, number: u32) {
        let mut before = self.0.load(Ordering::Relaxed);
        // The first call of a slot takes over from one that is forgotten; the others count.
        while (before >> 32) as u32 != number {
            let first = u64::from(number) << 32 | 1;
            let taken =
                self.0
                    .compare_exchange_weak(before, first, Ordering::Relaxed, Ordering::Relaxed);
            match taken {
                Ok(_) => return,
                Err(now) => before = now,
            }
        }
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::time::Instant;

    use super::{Budget, RetryBudget};

    fn taken(budget: &Budget, now: Instant) -> usize {
        (0..100_000).take_while(|_| budget.withdraw(now)).count()
    }

    #[test]
    fn the_reserve_and_a_part_of_each_call_is_there() {
        let start = Instant::now();
        let budget = Budget::new(&RetryBudget::default(), start);
        assert_eq!(taken(&budget, start), 100, "10 per second for 10 s");
        for (calls, retries) in [(4, 0), (1, 1), (50, 10), (3, 0), (2, 1)] {
            (0..calls).for_each(|_| budget.deposit(start));
            assert_eq!(budget.left(start), retries as u64);
            assert_eq!(taken(&budget, start), retries, "after {calls} calls");
        }
    }

    #[test]
    fn both_sides_are_forgotten_after_the_ttl() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let budget = Budget::new(&RetryBudget::default(), start);
        (0..1_000).for_each(|_| budget.deposit(at(500)));
        assert_eq!(taken(&budget, at(9_999)), 300);
        // The calls are forgotten and the retries are not: there is less than nothing.
        assert_eq!(taken(&budget, at(10_000)), 0);
        (0..1_000).for_each(|_| budget.deposit(at(18_000)));
        assert_eq!(taken(&budget, at(18_999)), 0, "300 are still owed");
        assert_eq!(taken(&budget, at(19_000)), 300);

        // A day without a call leaves the reserve, and no more.
        assert_eq!(taken(&budget, at(86_400_000)), 100);
    }

    #[test]
    fn no_retry_is_more_than_its_window_allows() {
        fastrand::seed(5);
        let start = Instant::now();
        let budget = Budget::new(&RetryBudget::default(), start);
        let (mut calls, mut retries) = (vec![0_usize; 600], vec![0_usize; 600]);
        for tenth in 0..600 {
            let now = start + Duration::from_millis(100 * tenth as u64);
            // Bursts and silence in turn, and many that want to retry.
            calls[tenth] = if tenth / 70 % 2 == 0 {
                fastrand::usize(0..100)
            } else {
                0
            };
            (0..calls[tenth]).for_each(|_| budget.deposit(now));
            retries[tenth] = (0..fastrand::usize(0..40))
                .filter(|_| budget.withdraw(now))
                .count();
        }
        for last in (0..600).filter(|tenth| retries[*tenth] > 0) {
            // Its slot and the nine before it.
            let window = (last / 10 * 10).saturating_sub(90)..=last;
            let calls: usize = calls[window.clone()].iter().sum();
            let retries: usize = retries[window].iter().sum();
            assert!(
                retries <= 100 + calls / 5,
                "{retries} for {calls} up to {last}"
            );
        }
        assert!(retries.iter().sum::<usize>() > 1_000);
    }

    #[test]
    fn racing_threads_take_no_more_than_there_is_and_lose_no_call() {
        let start = Instant::now();
        let budget = Budget::new(&RetryBudget::default(), start);
        let (barrier, taken) = (Barrier::new(8), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    (0..100_000).for_each(|_| budget.deposit(start));
                    for _ in 0..10_000 {
                        taken.fetch_add(usize::from(budget.withdraw(start)), Ordering::Relaxed);
                    }
                });
            }
        });
        let rest = (0..200_000).filter(|_| budget.withdraw(start)).count();
        assert_eq!(taken.into_inner() + rest, 100 + 800_000 / 5);
    }

    #[test]
    fn racing_threads_enter_a_new_slot_together() {
        const ROUNDS: usize = 3_000;
        let start = Instant::now();
        let config = RetryBudget {
            min_per_second: 0,
            ratio: 1.0,
            ..RetryBudget::default()
        };
        let budget = Budget::new(&config, start);
        let arrived = AtomicUsize::new(0);
        // Threads that sleep at a barrier do not leave it at the same time.
        let meet = |times: usize| {
            arrived.fetch_add(1, Ordering::SeqCst);
            while arrived.load(Ordering::SeqCst) < 2 * times {
                std::thread::yield_now();
            }
        };
        let deposit = |round: usize| {
            let now = start + Duration::from_secs(round as u64);
            meet(2 * round + 1);
            budget.deposit(now);
            meet(2 * round + 2);
            now
        };
        let taken = std::thread::scope(|scope| {
            scope.spawn(|| (0..ROUNDS).for_each(|round| _ = deposit(round)));
            let taken = (0..ROUNDS).map(|round| taken(&budget, deposit(round)));
            taken.sum::<usize>()
        });
        assert_eq!(taken, 2 * ROUNDS);
    }

    #[test]
    fn settings_that_make_no_sense_do_no_harm() {
        let start = Instant::now();
        let with = |ratio, ttl| {
            let budget = Budget::new(
                &RetryBudget {
                    ratio,
                    min_per_second: 0,
                    ttl,
                },
                start,
            );
            (0..10).for_each(|_| budget.deposit(start));
            taken(&budget, start)
        };
        let ttl = Duration::from_secs(10);
        assert_eq!(with(f64::NAN, ttl), 0);
        assert_eq!(with(-1.0, ttl), 0);
        assert_eq!(with(f64::INFINITY, ttl), 10_000);
        assert_eq!(with(0.5, Duration::ZERO), 5);
        assert_eq!(with(0.5, Duration::MAX), 5);
    }
}
