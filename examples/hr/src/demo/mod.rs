//! Everything at once: servers on sockets of their own, found through a registry, and what they do: in good order in one
//! process, or amid chaos in many.

mod chaos;
mod deployment;
mod error;
mod people;
mod report;
mod script;

use std::{
    io,
    path::{Path, PathBuf},
};

use doge_rpc::server::StopSignal;
use tempfile::TempDir;

pub(crate) use self::chaos::Settings as ChaosSettings;
pub use self::{chaos::ChaosError, error::DemoError, script::Unexpected};
use self::{deployment::Deployment, report::Report, script::Script};
use crate::cli::Console;

/// Runs the demo, in this folder if there is one, and in one that is removed after otherwise.
pub(crate) async fn run(keep: Option<&Path>, console: &mut Console) -> Result<(), DemoError> {
    let mut stop = StopSignal::listen()?;
    let folder = Folder::new(keep)?;
    tokio::select! {
        result = play(folder.path(), console) => result?,
        () = stop.received() => return Err(DemoError::Interrupted),
    }
    folder.close(console)
}

/// The same for the one with chaos. When promises are broken, the folder is kept.
pub(crate) async fn run_chaos(
    keep: Option<&Path>,
    settings: &ChaosSettings,
    console: &mut Console,
) -> Result<(), DemoError> {
    let mut stop = StopSignal::listen()?;
    let folder = Folder::new(keep)?;
    match chaos::run(settings, folder.path(), &mut stop, console).await {
        Ok(()) => folder.close(console),
        Err(DemoError::Chaos(error)) => {
            let folder = folder.keep();
            let path = folder.path().display();
            console.line(format_args!(
                "the databases, and what the replicas said, are in {path}"
            ))?;
            Err(error.into())
        }
        Err(error) => Err(error),
    }
}

enum Folder {
    Kept(PathBuf),
    Removed(TempDir),
}

impl Folder {
    fn new(keep: Option<&Path>) -> io::Result<Self> {
        Ok(match keep {
            Some(folder) => Self::Kept(folder.to_owned()),
            None => Self::Removed(tempfile::Builder::new().prefix("hr-demo-").tempdir()?),
        })
    }

    fn keep(self) -> Self {
        match self {
            Self::Removed(folder) => Self::Kept(folder.keep()),
            kept => kept,
        }
    }

    /// Removes it, or says where it is.
    fn close(self, console: &mut Console) -> Result<(), DemoError> {
        match self {
            Self::Kept(path) => {
                console.line(format_args!("the databases are in {}", path.display()))?;
            }
            Self::Removed(folder) => folder.close()?,
        }
        Ok(())
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Removed(folder) => folder.path(),
        }
    }
}

async fn play(folder: &Path, console: &mut Console) -> Result<(), DemoError> {
    let deployment = Deployment::start(folder).await?;
    console.line(&deployment)?;
    let mut report = Report::default();
    let played = Script::new(deployment.clients().await?, &mut report)
        .play()
        .await;
    let stopped = async {
        deployment.stop().await;
        Ok(((), "calls finished, instances gone".to_owned()))
    };
    let stopped = report.step("drain the servers", "all", stopped).await;
    console.line(report)?;
    Ok(played.and(stopped)?)
}
