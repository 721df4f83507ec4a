//! All that was found out.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use serde::Serialize;

use crate::{
    Error, Plan, Workload, costs::Costs, document::Section, picking::Picking, plots,
    rounds::Measured, summary::Summary, tables,
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
