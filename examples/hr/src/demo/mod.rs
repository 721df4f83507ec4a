//! Everything at once: three servers on sockets of their own, found through a registry, and what they do.

mod deployment;
mod error;
mod people;
mod report;
mod script;

use std::path::{Path, PathBuf};

use doge_rpc::server::StopSignal;
use tempfile::TempDir;

use self::{deployment::Deployment, report::Report, script::Script};
pub use self::{error::DemoError, script::Unexpected};
use crate::cli::Console;

/// Runs the demo, in this folder if there is one, and in one that is removed after otherwise.
pub(crate) async fn run(keep: Option<&Path>, console: &mut Console) -> Result<(), DemoError> {
    let mut stop = StopSignal::listen()?;
    let folder = match keep {
        Some(folder) => Folder::Kept(folder.to_owned()),
        None => Folder::Removed(tempfile::Builder::new().prefix("hr-demo-").tempdir()?),
    };
    tokio::select! {
        result = play(folder.path(), console) => result?,
        () = stop.received() => return Err(DemoError::Interrupted),
    }
    match folder {
        Folder::Kept(path) => {
            console.line(format_args!("the databases are in {}", path.display()))?;
        }
        Folder::Removed(folder) => folder.close()?,
    }
    Ok(())
}

enum Folder {
    Kept(PathBuf),
    Removed(TempDir),
}

impl Folder {
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
