use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::{Entry, Stage};

/// How many keys one request to etcd touches at most; etcd takes 128.
const MOST_KEYS: usize = 100;
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
    pub(super) value: Arc<[u8]>,
    /// Whether it must not be there yet.
    pub(super) is_new: bool,
    pub(super) generation: u64,
}

impl Batch {
    /// As many of the wanted entries as go into one request.
    pub(super) fn of(entries: &BTreeMap<String, Entry>, wanted: impl Fn(&Stage) -> bool) -> Self {
        let mut bytes = 0;
        let jobs = entries.iter().filter(|(_, entry)| wanted(&entry.stage));
        let jobs = jobs.take(MOST_KEYS).take_while(|(path, entry)| {
            bytes += path.len() + entry.value.len();
            bytes <= MOST_BYTES
        });
        let entries = jobs.map(|(path, entry)| Job {
            path: path.clone(),
            value: Arc::clone(&entry.value),
            is_new: matches!(entry.stage, Stage::New(_)),
            generation: entry.generation,
        });
        Self {
            entries: entries.collect(),
        }
    }
}
