use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::layout::Kind;
use super::listing::Listed;
use super::sighting::{Moment, Sighting};
use crate::Instance;

/// A temporary file is renamed within milliseconds; one this old was left by a dead process.
const ABANDONED_AFTER: Duration = Duration::from_secs(60);

/// What is known of one file.
#[derive(Debug)]
pub(super) struct Seen {
    sighting: Sighting,
    /// The last content that could be read, which counts while a later one cannot.
    content: Option<Content>,
    /// Whether the content is that of the present stamp.
    read: bool,
    complained: bool,
}

impl Seen {
    /// What was known before, or a fresh start if the file has changed since.
    pub(super) fn new(listed: &Listed, before: Option<Self>, now: Moment) -> Self {
        match before {
            Some(seen) if seen.sighting.stamp() == listed.stamp => seen,
            before => Self {
                sighting: Sighting::new(listed.stamp, now),
                content: before.and_then(|seen| seen.content),
                read: false,
                complained: false,
            },
        }
    }

    /// Whether what the file holds now has been read.
    pub(super) fn is_read(&self) -> bool {
        self.read
    }

    pub(super) fn take(&mut self, entry: Entry) {
        self.read = true;
        self.content = Some(Content {
            ttl: entry.ttl(),
            instance: Arc::new(entry.into_instance()),
        });
    }

    /// Logs why the file is passed over, once until it changes.
    pub(super) fn complain(&mut self, path: &Path, reason: &str) {
        if !std::mem::replace(&mut self.complained, true) {
            tracing::warn!(path = %path.display(), reason, "a file in the registry is ignored");
        }
    }

    /// The instance, if it was renewed within its time to live.
    pub(super) fn live(&self, now: Moment) -> Option<Arc<Instance>> {
        let content = self.content.as_ref()?;
        (self.sighting.age(now) <= content.ttl).then(|| Arc::clone(&content.instance))
    }

    /// Only what this registry has surely written is ever removed.
    pub(super) fn is_abandoned(&self, kind: &Kind, now: Moment) -> bool {
        let limit = match (kind, &self.content) {
            (Kind::Entry(_), Some(content)) if self.read => content.ttl * 2,
            (Kind::Temporary, _) => ABANDONED_AFTER,
            _ => return false,
        };
        self.sighting.age(now) > limit
    }
}

#[derive(Debug)]
struct Content {
    ttl: Duration,
    instance: Arc<Instance>,
}
