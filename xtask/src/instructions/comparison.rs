use super::{baseline::Baseline, counts::Count};

/// The growth that needs a word: 3 %.
pub(super) const LIMIT: f64 = 0.03;

/// The scenarios whose growth over the base is limited, too.
const WHOLE_CALLS: &str = "whole_calls::";

/// All scenarios: those counted, and then those that only the baseline knows.
#[derive(Debug, PartialEq)]
pub(super) struct Comparison {
    pub(super) lines: Vec<Line>,
}

/// One scenario: what it cost, and what it costs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) scenario: String,
    pub(super) costs: Costs,
    /// What it cost in the commit that all growth is measured from; scenarios that are newer have none.
    pub(super) base: Option<f64>,
}

/// Instructions for one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Costs {
    Both {
        baseline: f64,
        now: f64,
    },
    /// The baseline does not have it.
    New(f64),
    /// The benchmark does not have it any more.
    Gone(f64),
}

impl Comparison {
    pub(super) fn new(baseline: &Baseline, counts: &[Count]) -> Self {
        let counted = counts.iter().map(|count| {
            let now = count.instructions;
            let known = baseline.scenario(&count.scenario);
            let costs = match known.map(|known| known.instructions) {
                Some(baseline) => Costs::Both { baseline, now },
                None => Costs::New(now),
            };
            Line {
                scenario: count.scenario.clone(),
                costs,
                base: known.and_then(|known| known.base),
            }
        });
        let is_gone = |scenario: &str| counts.iter().all(|count| count.scenario != scenario);
        let gone = baseline
            .scenarios
            .iter()
            .filter(|known| is_gone(&known.name))
            .map(|known| Line {
                scenario: known.name.clone(),
                costs: Costs::Gone(known.instructions),
                base: known.base,
            });
        Self {
            lines: counted.chain(gone).collect(),
        }
    }

    /// Whether the check passes: the baseline has a number for each scenario, no scenario has outgrown it, and no whole
    /// call its base.
    pub(super) fn passes(&self) -> bool {
        self.grown().next().is_none()
            && self.unmatched().next().is_none()
            && self.over_base().next().is_none()
    }

    /// The whole calls that cost too much over their base.
    pub(super) fn over_base(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.is_over_base())
    }

    pub(super) fn grown(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.has_grown())
    }

    pub(super) fn shrunk(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.has_shrunk())
    }

    /// What only one of the two knows.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.change().is_none())
    }
}

impl Line {
    /// By which part of the baseline it changed; 0.05 is 5 % more.
    pub(super) fn change(&self) -> Option<f64> {
        match self.costs {
            Costs::Both { baseline, now } => Some(now / baseline - 1.0),
            Costs::New(_) | Costs::Gone(_) => None,
        }
    }

    /// By which part of its base it changed; 0.05 is 5 % more.
    pub(super) fn change_since_base(&self) -> Option<f64> {
        Some(self.now()? / self.base? - 1.0)
    }

    pub(super) fn now(&self) -> Option<f64> {
        match self.costs {
            Costs::Both { now, .. } | Costs::New(now) => Some(now),
            Costs::Gone(_) => None,
        }
    }

    pub(super) fn is_over_base(&self) -> bool {
        self.scenario.starts_with(WHOLE_CALLS)
            && matches!((self.now(), self.base), (Some(now), Some(base)) if now > base * (1.0 + LIMIT))
    }

    pub(super) fn has_grown(&self) -> bool {
        matches!(self.costs, Costs::Both { baseline, now } if now > baseline * (1.0 + LIMIT))
    }

    pub(super) fn has_shrunk(&self) -> bool {
        matches!(self.costs, Costs::Both { baseline, now } if now < baseline * (1.0 - LIMIT))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::baseline::tests::baseline, Comparison, Count};

    pub(crate) fn compare(was: &[(&str, f64)], is: &[(&str, f64)]) -> Comparison {
        Comparison::new(&baseline(was), &counts(is))
    }

    pub(crate) fn counts(is: &[(&str, f64)]) -> Vec<Count> {
        let count = |(scenario, instructions): &(&str, f64)| Count {
            scenario: (*scenario).into(),
            instructions: *instructions,
        };
        is.iter().map(count).collect()
    }

    /// The comparison of two scenarios that were blessed as they are, and had other costs in the base.
    pub(crate) fn compare_with_bases(now: &[(&str, f64, f64)]) -> Comparison {
        let costs: Vec<_> = now.iter().map(|(name, now, _)| (*name, *now)).collect();
        let mut blessed = baseline(&costs);
        for (scenario, (_, _, base)) in blessed.scenarios.iter_mut().zip(now) {
            scenario.base = Some(*base);
        }
        Comparison::new(&blessed, &counts(&costs))
    }

    fn names<'a>(lines: impl Iterator<Item = &'a super::Line>) -> Vec<&'a str> {
        lines.map(|line| &*line.scenario).collect()
    }

    #[test]
    fn three_percent_are_let_through_and_more_is_not() {
        let was = [("a", 1000.0), ("b", 1000.0), ("c", 1000.0)];
        let within = compare(&was, &[("a", 1030.0), ("b", 970.0), ("c", 1000.0)]);
        assert!(within.passes());
        assert!(names(within.shrunk()).is_empty());

        let over = compare(&was, &[("a", 1030.1), ("b", 969.9), ("c", 1000.0)]);
        assert!(!over.passes());
        assert_eq!(names(over.grown()), ["a"]);
        assert_eq!(names(over.shrunk()), ["b"]);
    }

    #[test]
    fn a_whole_call_may_not_outgrow_its_base_whatever_was_blessed() {
        let within = [("whole_calls::a", 1030.0, 1000.0), ("scan", 9000.0, 1000.0)];
        assert!(compare_with_bases(&within).passes());
        let over = [("whole_calls::a", 1030.1, 1000.0), ("scan", 9000.0, 1000.0)];
        let over = compare_with_bases(&over);
        assert!(!over.passes());
        assert_eq!(names(over.over_base()), ["whole_calls::a"]);
        assert!(names(over.grown()).is_empty());
    }

    #[test]
    fn a_whole_call_without_a_base_is_compared_with_the_baseline_only() {
        let costs = [("whole_calls::new", 1000.0)];
        assert!(compare(&costs, &costs).passes());
    }

    #[test]
    fn less_is_no_failure() {
        assert!(compare(&[("a", 1000.0)], &[("a", 10.0)]).passes());
    }

    #[test]
    fn benchmark_and_baseline_have_the_same_scenarios() {
        let comparison = compare(&[("a", 1.0), ("old", 1.0)], &[("a", 1.0), ("new", 1.0)]);
        assert!(!comparison.passes());
        assert_eq!(names(comparison.unmatched()), ["new", "old"]);
    }
}
