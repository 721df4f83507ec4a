use std::{
    cell::Cell,
    sync::atomic::{
        AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
    thread::available_parallelism,
};

/// Counters striped by thread, so that threads do not share cache lines; reading sums the stripes. Sums are exact, but
/// may be slightly old.
///
/// The first threads that count have a row each, which no other thread writes, and so count without an atomic
/// read-modify-write, which costs 20 cycles or more. All further threads share the last rows.
#[derive(Debug)]
pub(super) struct Striped<const N: usize> {
    rows: Box<[Row<N>]>,
    /// How many rows are of one thread each.
    owned: usize,
}

/// Aligned to a pair of cache lines, since processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Row<const N: usize>([AtomicU64; N]);

/// The most rows of one thread each: 8 KiB with the smallest row.
const MAX_OWNED: usize = 64;

/// Rows of all further threads.
const SHARED: usize = 8;

impl<const N: usize> Striped<N> {
    pub(super) fn new() -> Self {
        // Twice as many as cores, so that the threads of a runtime have rows of their own.
        let cores = available_parallelism().map_or(1, usize::from);
        let owned = (2 * cores).min(MAX_OWNED);
        let row = || Row(std::array::from_fn(|_| AtomicU64::new(0)));
        Self {
            rows: (0..owned + SHARED).map(|_| row()).collect(),
            owned,
        }
    }

    /// Adds an amount to a counter.
    #[inline(always)]
    pub(super) fn add(&self, counter: usize, amount: u64) {
        let number = thread_number();
        if number < self.owned {
            let counter = &self.rows[number].0[counter];
            // Only this thread writes here.
            counter.store(counter.load(Relaxed).wrapping_add(amount), Release);
        } else {
            let row = &self.rows[self.owned + number % SHARED];
            row.0[counter].fetch_add(amount, Release);
        }
    }

    /// The sum of a counter. What was counted elsewhere before, in the same order, is in sums that are read later.
    pub(super) fn sum(&self, counter: usize) -> u64 {
        let rows = self.rows.iter();
        rows.map(|row| row.0[counter].load(Acquire)).sum()
    }
}

/// The number of this thread, in the order of first use.
#[inline(always)]
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const NONE: usize = usize::MAX;
    thread_local!(static NUMBER: Cell<usize> = const { Cell::new(NONE) });
    NUMBER.with(|number| match number.get() {
        NONE => {
            number.set(NEXT.fetch_add(1, Relaxed));
            number.get()
        }
        known => known,
    })
}

#[cfg(test)]
mod tests {
    use super::Striped;

    #[test]
    fn counts_of_many_threads_are_summed_and_none_is_lost() {
        let counters = Striped::<2>::new();
        assert_eq!(counters.sum(1), 0);
        std::thread::scope(|scope| {
            for _ in 0..200 {
                scope.spawn(|| (0..1_000).for_each(|count| counters.add(count % 2, 1)));
            }
        });
        assert_eq!((counters.sum(0), counters.sum(1)), (100_000, 100_000));
    }
}
