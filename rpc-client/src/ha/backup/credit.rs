use std::sync::atomic::{AtomicU64, Ordering};

/// How many hedges the calls have saved up: what makes the ratio a true one.
#[derive(Debug)]
pub(super) struct Credit {
    /// In millionths of a hedge, as all amounts here.
    saved: AtomicU64,
    per_call: u64,
    most: u64,
}

const HEDGE: u64 = 1_000_000;

impl Credit {
    /// Nothing saved yet. A ratio that is no number allows no hedges.
    pub(super) fn new(ratio: f64, burst: u32) -> Self {
        Self {
            saved: AtomicU64::new(0),
            per_call: (ratio.clamp(0.0, 1.0) * HEDGE as f64).round() as u64,
            most: u64::from(burst) * HEDGE,
        }
    }

    /// A call saves up its part.
    pub(super) fn earn(&self) {
        // Racing calls may save a little more than the most, but never more than their own parts and what was given back.
        if self.saved.load(Ordering::Relaxed) + self.per_call <= self.most {
            self.saved.fetch_add(self.per_call, Ordering::Relaxed);
        }
    }

    /// Takes a hedge, if a whole one is saved.
    pub(super) fn spend(&self) -> bool {
        let less = |saved: u64| saved.checked_sub(HEDGE);
        self.saved
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }

    /// Saves a hedge that was [spent](Self::spend) and not made.
    pub(super) fn give_back(&self) {
        self.saved.fetch_add(HEDGE, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Credit;

    #[test]
    fn a_hedge_costs_as_many_calls_as_the_ratio_says() {
        let credit = Credit::new(0.05, 10);
        let calls = (1..=100).filter(|_| {
            credit.earn();
            credit.spend()
        });
        assert_eq!(calls.collect::<Vec<_>>(), [20, 40, 60, 80, 100]);
    }

    #[test]
    fn no_more_is_saved_than_the_burst() {
        let credit = Credit::new(0.5, 3);
        (0..1_000).for_each(|_| credit.earn());
        assert_eq!((0..10).filter(|_| credit.spend()).count(), 3);
    }

    #[test]
    fn a_ratio_that_makes_no_sense_is_cut() {
        for (ratio, hedges) in [(f64::NAN, 0), (-1.0, 0), (0.0, 0), (7.0, 5)] {
            let credit = Credit::new(ratio, 10);
            (0..5).for_each(|_| credit.earn());
            assert_eq!(
                (0..10).filter(|_| credit.spend()).count(),
                hedges,
                "{ratio}"
            );
        }
    }
}
