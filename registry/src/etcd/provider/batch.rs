use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Entry, Leaving, Stage};

/// How many keys one request to etcd touches at most; etcd takes 128.
pub(super) const MOST_KEYS: usize = 100;
/// How many bytes of values one request carries at most; etcd takes 1.5 MiB in all.
const MOST_BYTES: usize = 1024 * 1024;

/// Keys to put or delete with one request.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) entries: Vec<Job>,
}

/// One key of a [`Batch`].
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) path: String,
    /// What the keys of its service begin with.
    pub(super) service: String,
    pub(super) value: Arc<[u8]>,
    /// What to put there before it is deleted.
    pub(super) farewell: Option<Arc<[u8]>>,
    /// Whether it must not be there yet.
    pub(super) is_new: bool,
    pub(super) generation: u64,
}

impl Batch {
    /// As many of the wanted entries as go into one request; none that is tried again on its own.
    pub(super) fn of(entries: &BTreeMap<String, Entry>, wanted: impl Fn(&Stage) -> bool) -> Self {
        let mut bytes = 0;
        let jobs = entries
            .iter()
            .filter(|(_, entry)| entry.retry.is_none() && wanted(&entry.stage));
        let jobs = jobs.take(MOST_KEYS).take_while(|(path, entry)| {
            bytes += path.len() + entry.value.len();
            bytes <= MOST_BYTES
        });
        let entries = jobs.map(|(path, entry)| Job::of(path, entry));
        Self {
            entries: entries.collect(),
        }
    }

    /// This one alone.
    pub(super) fn one(path: &str, entry: &Entry) -> Self {
        Self {
            entries: vec![Job::of(path, entry)],
        }
    }
}

impl Job {
    fn of(path: &str, entry: &Entry) -> Self {
        let farewell = match &entry.stage {
            Stage::Leaving(Leaving { farewell, .. }) => farewell.clone(),
            Stage::New(_) | Stage::Missing | Stage::There(_) => None,
        };
        Self {
            path: path.to_owned(),
            service: entry.service.clone(),
            value: Arc::clone(&entry.value),
            farewell,
            is_new: entry.stage.is_new(),
            generation: entry.generation,
        }
    }
}
