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
/// the start, and both sides are forgotten after a while, slot by slot ("leaky"). So no stretch of time as long as that
/// has more retries than its own calls and the reserve allow.
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

    /// Takes a retry, if there is one.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let number = self.slot_number(now);
        let remembered = |slot: u32| number.wrapping_sub(slot) < SLOTS as u32;
        let mut withdrawals = self.withdrawals.lock();
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
