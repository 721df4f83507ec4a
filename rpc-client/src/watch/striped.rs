use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread::available_parallelism,
};

/// Counters striped by thread, so that threads do not share cache lines; reading sums the stripes. Sums are exact, but
/// may be slightly old.
///
/// The first threads that count have a row each, which no other thread writes, and so count without an atomic
/// read-modify-write, which costs 20 cycles or more. All further threads share the last row.
#[derive(Debug)]
pub(super) struct Striped<const N: usize>(Box<[Row<N>]>);

/// Aligned to a pair of cache lines, since processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Row<const N: usize>([AtomicU64; N]);

/// The most rows: 4 KiB with the smallest row.
const MAX_ROWS: usize = 32;

impl<const N: usize> Striped<N> {
    pub(super) fn new() -> Self {
        // Twice as many as cores, so that the threads of a runtime have rows of their own.
        let cores = available_parallelism().map_or(1, usize::from);
        let rows = (2 * cores + 1).min(MAX_ROWS);
        let row = || Row(std::array::from_fn(|_| AtomicU64::new(0)));
        Self((0..rows).map(|_| row()).collect())
    }

    /// Adds an amount to a counter.
    #[inline(always)]
    pub(super) fn add(&self, counter: usize, amount: u64) {
        let (number, last) = (thread_number(), self.0.len() - 1);
        let counter = &self.0[number.min(last)].0[counter];
        if number < last {
            // Only this thread writes here.
            counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
        } else {
            counter.fetch_add(amount, Relaxed);
        }
    }

    /// The sum of a counter.
    pub(super) fn sum(&self, counter: usize) -> u64 {
        self.0.iter().map(|row| row.0[counter].load(Relaxed)).sum()
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
