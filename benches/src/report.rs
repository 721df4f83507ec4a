//! Where the result goes.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    thread,
};

use serde::Serialize;

use crate::{
    Error, Plan, Workload, costs::Costs, picking::Picking, plots, rounds::Measured,
    summary::Summary, tables,
};

/// All that was found out, as JSON.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// What was measured in rounds.
    pub plan: &'a Plan,
    /// Every single sample.
    pub timed: &'a [Measured],
    /// The samples of the pass that counts allocations.
    pub counted: &'a [Measured],
    /// What was measured once.
    pub costs: &'a Costs,
    /// What `balance` found out before.
    #[serde(skip)]
    pub picking: &'a [Picking],
}

/// A part of the document that is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name in the markers.
    pub name: &'static str,
    /// What stands between them.
    pub text: String,
}

impl Report<'_> {
    /// Writes it all.
    ///
    /// # Errors
    ///
    /// As the operating system reports it.
    pub fn write(&self, file: &Path) -> Result<(), Error> {
        Ok(fs::write(file, serde_json::to_vec_pretty(self)?)?)
    }

    /// A section for each question that was asked.
    ///
    /// # Errors
    ///
    /// When there is no lock file.
    pub fn sections(&self) -> Result<Vec<Section>, Error> {
        let Self {
            plan,
            timed,
            counted,
            costs,
            picking,
        } = *self;
        let summary = Summary { timed, counted };
        let lock = fs::read_to_string(workspace().join("Cargo.lock"))?;
        let mut sections = vec![Section {
            name: "contenders",
            text: format!(
                "{}\n\n{}",
                conditions(plan),
                tables::contenders(&plan.entries, &lock)
            ),
        }];
        let mut add = |asked, name, table: &dyn Fn() -> String| {
            if asked {
                sections.push(Section {
                    name,
                    text: table(),
                });
            }
        };
        let closed = plan.has(Workload::Closed);
        add(closed, "closed loop", &|| tables::ratios(plan, &summary));
        add(closed, "closed loop in full", &|| {
            tables::details(plan, &summary)
        });
        add(plan.has(Workload::Open), "open loop", &|| {
            tables::open(plan, &summary)
        });
        add(plan.has(Workload::Mixed), "slow calls", &|| {
            tables::mixed(plan, &summary)
        });
        add(plan.has(Workload::Chain), "chain", &|| {
            tables::chain(plan, &summary)
        });
        add(costs.any(), "costs", &|| {
            tables::costs(&plan.entries, costs)
        });
        add(!picking.is_empty(), "picking", &|| tables::picking(picking));
        Ok(sections)
    }

    /// Draws what was measured.
    ///
    /// # Errors
    ///
    /// As the operating system reports it.
    pub fn draw(&self, folder: &Path) -> Result<(), Error> {
        let Self { timed, counted, .. } = *self;
        fs::create_dir_all(folder)?;
        plots::closed(self.plan, &Summary { timed, counted }, folder)?;
        plots::picking(self.picking, folder)
    }

    /// Who failed, and in what.
    pub fn failures(&self) -> Vec<String> {
        let measured = self.timed.iter().chain(self.counted);
        let failed = measured.filter_map(|measured| {
            let error = measured.outcome.as_ref().err()?;
            Some(format!("{}, {}: {error}", measured.entry, measured.cell))
        });
        failed.chain(self.costs.failures.iter().cloned()).collect()
    }
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// How the numbers came about, in one line.
fn conditions(plan: &Plan) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.split('-').next().unwrap_or_default().trim();
    let (rounds, length) = (plan.rounds, plan.window.length);
    format!(
        "{cores} cores of {model}, Linux {kernel}; medians of {rounds} interleaved rounds of {length:?} each."
    )
}

/// Replaces what a file has between the markers of these sections.
///
/// # Errors
///
/// When the file does not have the markers of one, or cannot be read or written.
pub fn rewrite(file: &Path, sections: &[Section]) -> Result<(), Error> {
    let mut text =
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    for Section { name, text: new } in sections {
        let [begin, end] = markers(name);
        let parts = text
            .split_once(&begin)
            .and_then(|(before, rest)| Some((before, rest.split_once(&end)?.1)));
        let Some((before, after)) = parts else {
            return Err(format!("{} has no lines `{begin}` and `{end}`", file.display()).into());
        };
        text = format!("{before}{begin}\n\n{new}\n{end}{after}");
    }
    Ok(fs::write(file, text)?)
}

/// The lines around a section.
fn markers(name: &str) -> [String; 2] {
    ["begin", "end"].map(|edge| format!("<!-- benchmark: {name}: {edge} -->"))
}

/// All sections, for a terminal.
pub fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n## {}\n\n{}", section.name, section.text);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Section, rewrite};

    const OLD: &str = "before\n<!-- benchmark: a: begin -->\nold\n<!-- benchmark: a: end -->\nbetween\n\
        <!-- benchmark: b: begin -->\nold\n<!-- benchmark: b: end -->\nafter\n";

    fn section(name: &'static str) -> Section {
        let text = "new\n".into();
        Section { name, text }
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, OLD).unwrap();
        rewrite(&file, &[section("b")]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let (kept, _) = OLD.split_once("<!-- benchmark: b").unwrap();
        let new = "<!-- benchmark: b: begin -->\n\nnew\n\n<!-- benchmark: b: end -->\nafter\n";
        assert_eq!(text, format!("{kept}{new}"));
    }

    #[test]
    fn a_file_without_the_markers_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        std::fs::write(&file, OLD).unwrap();
        assert!(rewrite(&file, &[section("a"), section("c")]).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
    }
}
