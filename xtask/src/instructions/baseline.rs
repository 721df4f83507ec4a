use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    Problem,
    comparison::{Comparison, Costs, Line},
    toolchain::Toolchain,
};
use crate::step::root;

/// What each scenario may cost, as the repository has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Baseline {
    pub(super) toolchain: Toolchain,
    #[serde(rename = "scenario", default)]
    pub(super) scenarios: Vec<Scenario>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// What one operation may cost today.
    pub(super) instructions: f64,
    /// What one operation cost in the commit that the header of the file names. Written by hand only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<f64>,
    /// Why it grew, when it last grew by more than the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// As seen from the root of the workspace.
pub(super) const FILE: &str = "benches/instructions.toml";

const HEADER: &str = "\
# Instructions of one operation in each scenario of benches/benches/instructions/, counted by `cargo xtask instructions`.
#
# `instructions`: what a scenario may cost today. The check fails when a scenario costs more than 3 % over it. Growth that
# is worth its price is written here, with its reason, by `cargo xtask instructions --bless --reason \"...\"`.
#
# `base`: what the scenario cost in commit 125499d. Nothing that is blessed changes it. The check fails when a whole unary
# call (`whole_calls::*`) costs more than 3 % over its base, whatever was blessed and for whatever reason: take as many
# instructions off the path of a call, in the same change. Other tools count differently: count commit 125499d with the
# new tools, and write each `base` by hand, in a commit that changes nothing else.

";

impl Baseline {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what [`write`](Self::write) writes.
    pub(super) fn read() -> Result<Self, Problem> {
        let text = fs::read_to_string(path()).map_err(|error| format!("{FILE}: {error}"))?;
        toml::from_str(&text).map_err(|error| format!("{FILE}: {error}").into())
    }

    pub(super) fn write(&self) -> io::Result<()> {
        fs::write(path(), self.text()?)
    }

    pub(super) fn scenario(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|known| known.name == name)
    }

    /// The baseline after these counts. Without a reason nothing in it grows, so that many small steps that pass do not
    /// become a large one; what has shrunk is taken, and so are scenarios that came and went. Each base stays.
    ///
    /// # Errors
    ///
    /// When something has outgrown the limit, and there is no reason; when the benchmark lacks a scenario that has a base.
    pub(super) fn bless(
        &self,
        comparison: &Comparison,
        toolchain: Toolchain,
        reason: Option<&str>,
    ) -> Result<Self, Problem> {
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        if let (Some(line), None) = (comparison.grown().next(), reason) {
            let why = format!(
                "{} grew by more than 3 %: that takes a --reason",
                line.scenario
            );
            return Err(why.into());
        }
        let without = comparison.unmatched().find(|line| line.base.is_some());
        if let Some(line) = without {
            let why = format!(
                "{} has a base in {FILE}, and the benchmark lacks it: bring it back, or remove it from the file by hand",
                line.scenario
            );
            return Err(why.into());
        }
        let scenarios = comparison
            .lines
            .iter()
            .filter_map(|line| self.blessed(line, reason));
        Ok(Self {
            toolchain,
            scenarios: scenarios.collect(),
        })
    }

    fn blessed(&self, line: &Line, reason: Option<&str>) -> Option<Scenario> {
        let instructions = match line.costs {
            Costs::Both { baseline, now } if reason.is_none() => now.min(baseline),
            Costs::Both { now, .. } | Costs::New(now) => now,
            Costs::Gone(_) => return None,
        };
        let known = self.scenario(&line.scenario);
        let reason = reason.filter(|_| line.has_grown());
        Some(Scenario {
            name: line.scenario.clone(),
            instructions,
            base: known.and_then(|known| known.base),
            reason: reason
                .map(Into::into)
                .or_else(|| known.and_then(|known| known.reason.clone())),
        })
    }

    /// The file.
    fn text(&self) -> io::Result<String> {
        let scenarios = toml::to_string(self).map_err(io::Error::other)?;
        Ok(format!("{HEADER}{scenarios}"))
    }
}

fn path() -> PathBuf {
    root().join(Path::new(FILE))
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::{
        super::{
            comparison::Comparison,
            comparison::tests::{compare, counts},
        },
        Baseline, Scenario, Toolchain, path,
    };

    pub(crate) fn baseline(costs: &[(&str, f64)]) -> Baseline {
        let scenario = |(name, instructions): &(&str, f64)| Scenario {
            name: (*name).into(),
            instructions: *instructions,
            base: None,
            reason: None,
        };
        Baseline {
            toolchain: Toolchain::with_rustc("rustc 1.95.0"),
            scenarios: costs.iter().map(scenario).collect(),
        }
    }

    const WAS: [(&str, f64); 3] = [("grows", 100.0), ("creeps", 100.0), ("shrinks", 100.0)];
    const IS: [(&str, f64); 3] = [("grows", 110.0), ("creeps", 102.0), ("shrinks", 90.0)];

    fn bless(is: &[(&str, f64)], reason: Option<&str>) -> Option<Baseline> {
        let toolchain = Toolchain::with_rustc("rustc 1.96.0");
        baseline(&WAS)
            .bless(&compare(&WAS, is), toolchain, reason)
            .ok()
    }

    #[test]
    fn a_reason_stands_beside_what_grew_and_nowhere_else() {
        let blessed = bless(&IS, Some("checks more")).unwrap();
        let mut expected = baseline(&IS);
        expected.toolchain = Toolchain::with_rustc("rustc 1.96.0");
        expected.scenarios[0].reason = Some("checks more".into());
        assert_eq!(blessed, expected);

        let comparison = compare(&IS, &IS);
        let again = blessed
            .bless(&comparison, expected.toolchain.clone(), None)
            .unwrap();
        assert_eq!(again, expected, "a reason stays");
    }

    #[test]
    fn without_a_reason_nothing_grows() {
        assert_eq!(bless(&IS, None), None);
        assert_eq!(bless(&IS, Some(" ")), None);
        let blessed = bless(&[("creeps", 102.0), ("shrinks", 90.0), ("new", 7.0)], None).unwrap();
        let expected = baseline(&[("creeps", 100.0), ("shrinks", 90.0), ("new", 7.0)]);
        assert_eq!(blessed.scenarios, expected.scenarios);
    }

    #[test]
    fn the_file_is_read_as_it_was_written() {
        let mut written = baseline(&WAS);
        written.scenarios[1].reason = Some("checks \"more\"".into());
        written.scenarios[2].base = Some(99.5);
        let text = toml::to_string(&written).unwrap();
        assert_eq!(toml::from_str::<Baseline>(&text).unwrap(), written);
    }

    #[test]
    fn a_base_stays_whatever_is_blessed_and_what_is_new_has_none() {
        let mut was = baseline(&WAS);
        for (scenario, base) in was.scenarios.iter_mut().zip([50.0, 60.0, 200.0]) {
            scenario.base = Some(base);
        }
        let is = [&IS[..], &[("new", 7.0)]].concat();
        let comparison = Comparison::new(&was, &counts(&is));
        let toolchain = was.toolchain.clone();
        let blessed = was.bless(&comparison, toolchain, Some("checks more"));
        let bases = blessed.unwrap().scenarios;
        let bases: Vec<_> = bases.iter().map(|scenario| scenario.base).collect();
        assert_eq!(bases, [Some(50.0), Some(60.0), Some(200.0), None]);
    }

    #[test]
    fn a_base_does_not_go_with_its_scenario() {
        let mut was = baseline(&WAS);
        was.scenarios[2].base = Some(100.0);
        let renamed = [&WAS[..2], &[("shrank", 100.0)]].concat();
        let comparison = Comparison::new(&was, &counts(&renamed));
        let problem = was.bless(&comparison, was.toolchain.clone(), Some("renamed"));
        let problem = problem.unwrap_err().to_string();
        assert!(problem.starts_with("shrinks has a base"), "{problem}");
    }

    #[test]
    fn the_file_of_the_repository_is_as_it_would_be_written() {
        let baseline = Baseline::read().unwrap();
        assert!(!baseline.scenarios.is_empty());
        assert_eq!(
            fs::read_to_string(path()).unwrap(),
            baseline.text().unwrap()
        );
    }

    #[test]
    fn every_whole_call_of_the_repository_has_a_base() {
        let scenarios = Baseline::read().unwrap().scenarios;
        let calls = scenarios
            .iter()
            .filter(|it| it.name.starts_with("whole_calls::"));
        let bases: Vec<_> = calls.map(|it| (&*it.name, it.base)).collect();
        let first = [
            ("whole_calls::local::small", Some(10073.1)),
            ("whole_calls::local::nothing", Some(2955.0)),
            ("whole_calls::memory::small_1", Some(18043.6)),
            ("whole_calls::memory::small_16", Some(12773.9)),
            ("whole_calls::memory::nothing_1", Some(10649.7)),
            ("whole_calls::memory::nothing_16", Some(5565.1)),
            ("whole_calls::cluster::small_1", Some(20033.6)),
            ("whole_calls::cluster::small_16", Some(14777.1)),
            ("whole_calls::cluster::nothing_1", Some(12639.7)),
            ("whole_calls::cluster::nothing_16", Some(7568.0)),
        ];
        assert_eq!(bases[..first.len()], first);
    }
}
