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
    /// For one operation.
    pub(super) instructions: f64,
    /// Why it grew, when it last grew by more than the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

/// As seen from the root of the workspace.
pub(super) const FILE: &str = "benches/instructions.toml";

const HEADER: &str = "\
# Instructions of one operation in each scenario of benches/benches/instructions/, counted by `cargo xtask instructions`,
# which fails when one grows by more than 3 %. What is worth more than that is owned up to with its reason:
# `cargo xtask instructions --bless --reason \"...\"` writes this file.

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
        let text = toml::to_string(self).map_err(io::Error::other)?;
        fs::write(path(), format!("{HEADER}{text}"))
    }

    pub(super) fn cost(&self, scenario: &str) -> Option<f64> {
        self.scenario(scenario).map(|known| known.instructions)
    }

    /// The baseline after these counts. Without a reason nothing in it grows, so that many small steps that pass do not
    /// become a large one; what has shrunk is taken, and so are scenarios that came and went.
    ///
    /// # Errors
    ///
    /// When something has outgrown the limit, and there is no reason.
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
            reason: reason
                .map(Into::into)
                .or_else(|| known.and_then(|known| known.reason.clone())),
        })
    }

    fn scenario(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|known| known.name == name)
    }
}

fn path() -> PathBuf {
    root().join(Path::new(FILE))
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::comparison::tests::compare, Baseline, Scenario, Toolchain};

    pub(crate) fn baseline(costs: &[(&str, f64)]) -> Baseline {
        let scenario = |(name, instructions): &(&str, f64)| Scenario {
            name: (*name).into(),
            instructions: *instructions,
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
        let text = toml::to_string(&written).unwrap();
        assert_eq!(toml::from_str::<Baseline>(&text).unwrap(), written);
    }

    #[test]
    fn the_repository_has_a_baseline() {
        assert!(!Baseline::read().unwrap().scenarios.is_empty());
    }
}
