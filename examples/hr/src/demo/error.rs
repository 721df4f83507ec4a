use std::io;

use doge_rpc::{client::ClusterError, server::StartError};
use thiserror::Error;

use super::{ChaosError, script::Unexpected};
use crate::OpenError;

/// Why the demo failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The system did not come through the chaos.
    #[error(transparent)]
    Chaos(#[from] ChaosError),
    /// Something was asked to stop it.
    #[error("interrupted")]
    Interrupted,
    /// A file or the output.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The registry.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A server.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A step did not go as it should; the steps behind it were left out.
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
}
