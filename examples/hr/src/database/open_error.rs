use std::{io, path::PathBuf};

use sqlx::migrate::MigrateError;
use thiserror::Error;

/// Why the data folder cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot make the data folder {}: {source}; choose another one", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be opened as a database.
    #[error("cannot open the database {}: {source}; choose another data folder, or move the file away", path.display())]
    Database {
        /// Which.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// Its tables cannot be brought up to date.
    #[error(
        "cannot bring the database {} up to date: {source}; it may be of a newer version of this program",
        path.display()
    )]
    Migration {
        /// Which.
        path: PathBuf,
        /// Why.
        source: MigrateError,
    },
}
