use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{Console, Failure, place::shared_registry};
use crate::demo::{self, ChaosSettings};

/// Run all services on sockets of this machine, and show what they do
///
/// The exit code is 0 when each step went as it should, or each promise was kept. No file and no process is left
/// behind.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Keep the databases in this folder
    #[arg(long, value_name = "DIR", visible_alias = "data")]
    keep: Option<PathBuf>,
    /// Run several processes of each service; under load, kill, pause and restart them, and take databases away
    #[arg(long)]
    chaos: bool,
    #[command(flatten)]
    settings: Chaos,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "With --chaos")]
struct Chaos {
    /// How long things go wrong
    #[arg(long, value_name = "N", default_value_t = 20, requires = "chaos")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Replicas of employee and of leave; onboarding has one less, but two at least
    #[arg(long, value_name = "N", default_value_t = 3, requires = "chaos")]
    #[arg(value_parser = clap::value_parser!(u16).range(2..=20))]
    replicas: u16,
    /// Do to the replicas what an earlier run did that said this number
    #[arg(long, value_name = "N", requires = "chaos")]
    seed: Option<u64>,
    /// Register the replicas here rather than in a folder of the demo
    #[arg(long, value_name = "URL", requires = "chaos")]
    registry: Option<String>,
}

impl Demo {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        let keep = self.keep.as_deref();
        if !self.chaos {
            return Ok(demo::run(keep, console).await?);
        }
        let settings = self.settings.settings()?;
        Ok(demo::run_chaos(keep, &settings, console).await?)
    }
}

impl Chaos {
    fn settings(self) -> Result<ChaosSettings, Failure> {
        if let Some(url) = &self.registry {
            shared_registry(url)?;
        }
        Ok(ChaosSettings {
            time: Duration::from_secs(self.seconds),
            // Short enough to be typed.
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..1_000_000)),
            replicas: self.replicas.into(),
            registry: self.registry,
        })
    }
}
