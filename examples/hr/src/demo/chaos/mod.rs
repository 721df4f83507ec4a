//! The system as processes, several of each service, under load, while some of them are killed, paused, restarted, and
//! lose their database for a while.
//!
//! - `system`: the processes, each a `replica`, and the clients that call them.
//! - `schedule`, `monkey`: what happens to which replica, and doing it.
//! - `load`: callers, who keep a `tally` of their calls and a `ledger` of whom they hired.
//! - `promises`: what has to be so in the end. `summary`: how it went, as tables.

mod error;
mod journal;
mod ledger;
mod load;
mod monkey;
mod promises;
mod replica;
mod schedule;
mod summary;
mod system;
mod tally;

use std::{path::Path, time::Duration};

use doge_rpc::server::StopSignal;
use futures_util::future::{join, try_join_all};

pub use self::error::ChaosError;
use self::{
    journal::Journal,
    load::Load,
    promises::Evidence,
    schedule::{Blow, Schedule},
    summary::Summary,
    system::{ONBOARDING, System},
};
use super::DemoError;
use crate::cli::Console;

/// What is to be played.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How long things go wrong.
    pub(crate) time: Duration,
    /// Decides what happens to whom.
    pub(crate) seed: u64,
    /// Instances of employee and of leave; onboarding has one less, but two at least.
    pub(crate) replicas: usize,
    /// Where the replicas are registered; a folder of the demo's own otherwise.
    pub(crate) registry: Option<String>,
}

/// Plays it. No process is left, whatever happens.
pub(super) async fn run(
    settings: &Settings,
    folder: &Path,
    stop: &mut StopSignal,
    console: &mut Console,
) -> Result<(), DemoError> {
    let mut system = System::new(settings, folder)?;
    let played = tokio::select! {
        // Ctrl-C ends the replicas too, which is no news then.
        biased;
        () = stop.received() => Err(DemoError::Interrupted),
        played = play(settings, &mut system, console) => played,
    };
    system.kill().await;
    played
}

async fn play(
    settings: &Settings,
    system: &mut System,
    console: &mut Console,
) -> Result<(), DemoError> {
    let journal = Journal::new(console);
    system.start().await?;
    journal.write(format_args!("{system} run"))?;
    let seed = settings.seed;
    journal.write(format_args!("play it again with --seed {seed}"))?;
    let clients = system.clients().await?;
    let load = Load::begin(&clients, seed).await?;

    let services = system.services().zip(&clients.clusters).enumerate();
    let monkeys = services.map(|(index, (replicas, (service, cluster)))| {
        let blows = match *service {
            ONBOARDING => Blow::without_database(),
            _ => Blow::ALL.to_vec(),
        };
        let schedule = Schedule::new(seed.wrapping_add(index as u64), replicas.len(), blows);
        monkey::run(replicas, cluster, schedule, settings.time, &journal)
    });
    let trouble = async {
        let done = try_join_all(monkeys).await;
        load.end();
        done
    };
    let (trouble, ()) = join(trouble, load.run()).await;
    trouble?;
    journal.write("all replicas run again, and the callers have finished")?;

    let mut evidence = load.evidence().await?;
    evidence.deeds = journal.deeds();
    let promises = evidence.promises();
    system.stop().await?;
    journal.write("all replicas ended as they were asked to")?;
    let summary = Summary {
        clients: &clients,
        evidence: &evidence,
        promises: &promises,
    };
    journal.conclude(summary)?;
    let broken = promises.iter().filter(|promise| !promise.is_kept()).count();
    if broken > 0 {
        let of = promises.len();
        return Err(ChaosError::Broken { broken, of }.into());
    }
    Ok(())
}
