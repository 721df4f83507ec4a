use std::fmt;

use super::{
    promises::{Evidence, Promise},
    schedule::Blow,
    system::Clients,
};
use crate::table::Table;

/// How it went.
pub(super) struct Summary<'a> {
    pub(super) clients: &'a Clients,
    pub(super) evidence: &'a Evidence,
    pub(super) promises: &'a [Promise],
}

/// Cases of a broken promise that are shown.
const MOST_CASES: usize = 10;

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.done())?;
        writeln!(f, "{}\n", self.asked())?;
        writeln!(f, "{}\n", self.made())?;
        for (index, promise) in self.promises.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let Promise { what, told, broken } = promise;
            if promise.is_kept() {
                write!(f, "kept    {what}: {told}")?;
                continue;
            }
            write!(f, "BROKEN  {what}: {} cases", broken.len())?;
            for case in broken.iter().take(MOST_CASES) {
                write!(f, "\n        {case}")?;
            }
        }
        Ok(())
    }
}

impl Summary<'_> {
    /// What was done to the replicas.
    fn done(&self) -> Table<5> {
        let mut table = Table::new([
            "replicas of",
            "killed",
            "paused",
            "restarted",
            "without data",
        ]);
        for (service, _) in &self.clients.clusters {
            let count = |blow: Blow| {
                let deeds = self.evidence.deeds.iter();
                let such = deeds.filter(|deed| deed.service == *service && deed.blow == blow);
                such.count().to_string()
            };
            let [killed, paused, restarted, without_data] = Blow::ALL.map(count);
            table.row([
                (*service).to_owned(),
                killed,
                paused,
                restarted,
                without_data,
            ]);
        }
        table
    }

    /// The calls as their callers saw them.
    fn asked(&self) -> Table<7> {
        let mut table = Table::new(["call", "idempotent", "calls", "failed", "p50", "p99", "max"]);
        for (call, line) in self.evidence.tally.lines() {
            let [p50, p99, max] = [500, 990, 1000].map(|part| {
                let time = line.time(part).as_secs_f64() * 1000.0;
                format!("{time:.1} ms")
            });
            table.row([
                format!("{}/{}", call.service(), call.name()),
                if call.is_idempotent() { "yes" } else { "no" }.to_owned(),
                line.calls().to_string(),
                line.failed().to_string(),
                p50,
                p99,
                max,
            ]);
        }
        table
    }

    /// What the clients did about it.
    fn made(&self) -> Table<10> {
        let mut table = Table::new([
            "client of",
            "calls",
            "attempts",
            "retries",
            "hedges",
            "hedges won",
            "no budget",
            "ejections",
            "limited",
            "errors",
        ]);
        for (service, cluster) in &self.clients.clusters {
            let stats = cluster.stats();
            let errors = self.evidence.tally.errors(service).into_iter();
            let errors: Vec<_> = errors
                .map(|(code, count)| format!("{count} {code}"))
                .collect();
            table.row([
                (*service).to_owned(),
                stats.calls.to_string(),
                stats.attempts.to_string(),
                stats.retries.to_string(),
                stats.hedges.to_string(),
                stats.hedges_won.to_string(),
                stats.budget_empty.to_string(),
                stats.ejections.to_string(),
                stats.limited.to_string(),
                if errors.is_empty() {
                    "none".to_owned()
                } else {
                    errors.join(", ")
                },
            ]);
        }
        table
    }
}
