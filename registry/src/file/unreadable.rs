use std::io;

use thiserror::Error;

use super::entry::{LARGEST, SCHEMA};

/// Why a file is not the entry that its place in the folder promises.
#[derive(Debug, Error)]
pub(super) enum Unreadable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is torn or not an entry: {0}")]
    Json(#[from] serde_json::Error),
    #[error("its schema is {0} and this process knows {SCHEMA}")]
    Schema(u32),
    #[error("it is longer than {LARGEST} bytes")]
    TooLarge,
    #[error("it is the entry of another instance or service")]
    Misplaced,
}

impl Unreadable {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}
