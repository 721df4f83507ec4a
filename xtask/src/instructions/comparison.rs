use super::{baseline::Baseline, counts::Count};

/// The growth that needs a word: 3 %.
pub(super) const LIMIT: f64 = 0.03;

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
            let costs = match baseline.cost(&count.scenario) {
                Some(baseline) => Costs::Both { baseline, now },
                None => Costs::New(now),
            };
            Line::new(&count.scenario, costs)
        });
        let is_gone = |scenario: &str| counts.iter().all(|count| count.scenario != scenario);
        let gone = baseline
            .scenarios
            .iter()
            .filter(|known| is_gone(&known.name))
            .map(|known| Line::new(&known.name, Costs::Gone(known.instructions)));
        Self {
            lines: counted.chain(gone).collect(),
        }
    }

    /// Whether the baseline has a number for all of it, and none has outgrown it.
    pub(super) fn is_owned_up_to(&self) -> bool {
        self.grown().next().is_none() && self.unmatched().next().is_none()
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
    pub(super) fn new(scenario: &str, costs: Costs) -> Self {
        Self {
            scenario: scenario.into(),
            costs,
        }
    }

    /// By which part of the baseline it changed; 0.05 is 5 % more.
    pub(super) fn change(&self) -> Option<f64> {
        match self.costs {
            Costs::Both { baseline, now } => Some(now / baseline - 1.0),
            Costs::New(_) | Costs::Gone(_) => None,
        }
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
        let counts: Vec<_> = is
            .iter()
            .map(|(scenario, instructions)| Count {
                scenario: (*scenario).into(),
                instructions: *instructions,
            })
            .collect();
        Comparison::new(&baseline(was), &counts)
    }

    fn names<'a>(lines: impl Iterator<Item = &'a super::Line>) -> Vec<&'a str> {
        lines.map(|line| &*line.scenario).collect()
    }

    #[test]
    fn three_percent_are_let_through_and_more_is_not() {
        let was = [("a", 1000.0), ("b", 1000.0), ("c", 1000.0)];
        let within = compare(&was, &[("a", 1030.0), ("b", 970.0), ("c", 1000.0)]);
        assert!(within.is_owned_up_to());
        assert!(names(within.shrunk()).is_empty());

        let over = compare(&was, &[("a", 1030.1), ("b", 969.9), ("c", 1000.0)]);
        assert!(!over.is_owned_up_to());
        assert_eq!(names(over.grown()), ["a"]);
        assert_eq!(names(over.shrunk()), ["b"]);
    }

    #[test]
    fn less_is_no_failure() {
        assert!(compare(&[("a", 1000.0)], &[("a", 10.0)]).is_owned_up_to());
    }

    #[test]
    fn benchmark_and_baseline_have_the_same_scenarios() {
        let comparison = compare(&[("a", 1.0), ("old", 1.0)], &[("a", 1.0), ("new", 1.0)]);
        assert!(!comparison.is_owned_up_to());
        assert_eq!(names(comparison.unmatched()), ["new", "old"]);
    }
}
