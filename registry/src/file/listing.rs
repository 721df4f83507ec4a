use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::Path;

use super::layout::Kind;
use super::sighting::Stamp;

/// One file in the folder of a service, not yet opened.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: OsString,
    pub(super) kind: Kind,
    pub(super) stamp: Stamp,
}

/// Lists the folder in one go, so that a scan has all of it or none; without a folder there is none.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        files.extend(listed(&entry?)?);
    }
    // The order in which a file system tells them is its own.
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// A file that vanishes meanwhile is none.
fn listed(entry: &DirEntry) -> io::Result<Option<Listed>> {
    let metadata = match entry.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let name = entry.file_name();
    Ok(Some(Listed {
        // Links, pipes and folders may carry the name of an entry: opening one could wait for ever.
        kind: if metadata.is_file() {
            Kind::of(&name)
        } else {
            Kind::Foreign
        },
        name,
        stamp: Stamp {
            modified: metadata.modified()?,
            length: metadata.len(),
        },
    }))
}
