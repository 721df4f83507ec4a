use std::{io, path::PathBuf};

use doge_rpc::registry::OpenError;
use thiserror::Error;

/// Why the system did not come through the chaos.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ChaosError {
    /// What has to be so is not so; the output has the details.
    #[error("{broken} of {of} promises were broken; see above which")]
    Broken {
        /// How many.
        broken: usize,
        /// Of how many.
        of: usize,
    },
    /// The registry cannot be.
    #[error(transparent)]
    Registry(#[from] OpenError),
    /// A replica does not do what it is told.
    #[error("{replica} {what}; the end of {}:\n{said}", log.display())]
    Replica {
        /// Its name.
        replica: String,
        /// What it does, or does not do.
        what: String,
        /// Where all that it said is.
        log: PathBuf,
        /// What it said last.
        said: String,
    },
    /// A process cannot be started or told anything.
    #[error("{replica}: {source}")]
    Process {
        /// Its name.
        replica: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody is there before the first is hired, so that it cannot be said who should be.
    #[error("{0} people are in the folder already; choose a new one")]
    Inhabited(u64),
    /// The people whom the load is about are not there.
    #[error("nobody can be hired before anything happened: {0}")]
    Unprepared(String),
    /// What is there in the end cannot be read.
    #[error("what is there in the end cannot be read: {0}")]
    Unreadable(String),
}
