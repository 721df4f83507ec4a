use std::{
    cell::Cell,
    sync::{
        OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread::available_parallelism,
};

/// Counters that threads write without sharing a cache line: a row for each of a few threads, summed on reading. Sums are
/// exact, and a moment old. The rows are made with the first count.
#[derive(Debug)]
pub(super) struct Striped<const N: usize>(OnceLock<Box<[Row<N>]>>);

/// Begins with a pair of cache lines, since processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Row<const N: usize>([AtomicU64; N]);

/// The most rows: 8 KiB of the smallest.
const MAX_ROWS: usize = 64;

impl<const N: usize> Striped<N> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Counts one up.
    #[inline]
    pub(super) fn count(&self, counter: usize) {
        self.add(counter, 1);
    }

    /// Counts an amount up.
    #[inline]
    pub(super) fn add(&self, counter: usize, amount: u64) {
        let rows = self.0.get_or_init(Self::rows);
        // The number of rows is a power of two.
        rows[thread_number() & (rows.len() - 1)].0[counter].fetch_add(amount, Relaxed);
    }

    /// What was counted so far.
    pub(super) fn sum(&self, counter: usize) -> u64 {
        let rows = self.0.get().map_or(&[][..], |rows| rows);
        rows.iter().map(|row| row.0[counter].load(Relaxed)).sum()
    }

    #[cold]
    fn rows() -> Box<[Row<N>]> {
        // Twice as many as cores, so that the threads of a runtime rarely meet other threads.
        let cores = available_parallelism().map_or(1, usize::from);
        let rows = (2 * cores).next_power_of_two().min(MAX_ROWS);
        let row = || Row(std::array::from_fn(|_| AtomicU64::new(0)));
        (0..rows).map(|_| row()).collect()
    }
}

/// The number of this thread, counted up from the first that asked.
#[inline]
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
                scope.spawn(|| (0..1_000).for_each(|count| counters.count(count % 2)));
            }
        });
        assert_eq!((counters.sum(0), counters.sum(1)), (100_000, 100_000));
    }
}
