use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::entry::Entry;
use super::layout::{Kind, Layout};
use super::listing::{Listed, list};
use super::seen::Seen;
use super::sighting::Moment;
use crate::{ServiceKey, Snapshot};

/// Reads the folder of one service again and again, and remembers what it has seen there.
#[derive(Debug)]
pub(super) struct Scanner {
    folder: PathBuf,
    key: ServiceKey,
    files: BTreeMap<OsString, Seen>,
}

impl Scanner {
    pub(super) fn new(layout: &Layout, key: ServiceKey) -> Self {
        Self {
            folder: layout.folder(&key),
            key,
            files: BTreeMap::new(),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The instances alive at `now`; removes what has been dead for long.
    ///
    /// On an error nothing that is known is forgotten.
    pub(super) fn scan(&mut self, now: Moment) -> io::Result<Snapshot> {
        let mut files = BTreeMap::new();
        for listed in list(&self.folder)? {
            let seen = Seen::new(&listed, self.files.remove(&listed.name), now);
            if let Some(seen) = self.look(&listed, seen, now) {
                files.insert(listed.name, seen);
            }
        }
        self.files = files;
        Ok(self
            .files
            .values()
            .filter_map(|seen| seen.live(now))
            .collect())
    }

    /// What is to be remembered of the file; nothing if it is gone.
    fn look(&self, listed: &Listed, mut seen: Seen, now: Moment) -> Option<Seen> {
        let path = self.folder.join(&listed.name);
        match &listed.kind {
            Kind::Entry(id) if !seen.is_read() => match Entry::read(&path, &self.key, id) {
                Ok(entry) => seen.take(entry),
                Err(reason) if reason.is_absent() => return None,
                Err(reason) => seen.complain(&path, &reason.to_string()),
            },
            Kind::Foreign => seen.complain(&path, "its name or type is not that of an entry"),
            Kind::Entry(_) | Kind::Temporary | Kind::Hidden => {}
        }
        let outdated = seen.is_abandoned(&listed.kind, now) && remove(&path, listed);
        (!outdated).then_some(seen)
    }
}

/// Removes a file that nobody renews, unless it was renewed since it was listed.
fn remove(path: &Path, listed: &Listed) -> bool {
    let renewed = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| modified != listed.stamp.modified);
    if renewed {
        return false;
    }
    match fs::remove_file(path) {
        Ok(()) => {
            tracing::info!(path = %path.display(), "removed what a dead process left in the registry");
            true
        }
        // Whoever may write here will do it.
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "an outdated file stays in the registry");
            false
        }
    }
}
