use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a file cannot be imported at all. Nothing is written then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ends or breaks in the middle.
    #[error("cannot read {} to its end: {source}; nothing was imported", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has not the columns.
    #[error(
        "{} lacks the columns {}; its first line has {found}; \
         the columns are found by name, separated by commas, in any order",
        path.display(), missing.join(", ")
    )]
    MissingColumns {
        /// Which.
        path: PathBuf,
        /// The columns that are needed and not there.
        missing: Vec<&'static str>,
        /// What is there.
        found: String,
    },
    /// Two columns have the same name.
    #[error("{} has two columns {column}; take one of them out", path.display())]
    DuplicateColumn {
        /// Which.
        path: PathBuf,
        /// The name.
        column: &'static str,
    },
}
