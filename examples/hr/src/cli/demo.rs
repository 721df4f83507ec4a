use std::path::PathBuf;

use clap::Args;

use super::{Console, Failure};
use crate::demo;

/// Run all services on sockets of this machine, and show what they do
///
/// The exit code is 0 when each step went as it should. No file is left behind.
#[derive(Args, Debug)]
pub(super) struct Demo {
    /// Keep the databases in this folder
    #[arg(long, value_name = "DIR", visible_alias = "data")]
    keep: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self, console: &mut Console) -> Result<(), Failure> {
        Ok(demo::run(self.keep.as_deref(), console).await?)
    }
}
