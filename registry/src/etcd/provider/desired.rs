use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::Refusal;
use crate::etcd::failure::Failure;

/// How many keys one request to etcd touches at most; etcd takes 128.
const MOST_KEYS: usize = 100;
/// How many bytes of values one request carries at most; etcd takes 1.5 MiB in all.
const MOST_BYTES: usize = 1024 * 1024;

/// How many leases are remembered; those before them have expired.
const MOST_LEASES: usize = 16;

/// Tells whoever waits for it how a registration or a withdrawal went.
pub(super) type Answer = oneshot::Sender<Result<(), Refusal>>;

/// What this process should have in etcd, and what of it is known to be there.
#[derive(Debug, Default)]
pub(super) struct Desired {
    state: Mutex<State>,
    /// There may be something to write.
    pub(super) changed: Notify,
    /// Somebody waits for his first registration.
    pub(super) awaited: Notify,
    /// The set of services may have changed.
    pub(super) services_changed: Notify,
    /// The lease is said to be gone.
    pub(super) lease_lost: Notify,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<String, Entry>,
    lease: Option<i64>,
    /// Leases of this process, the last one last: what is on one of them is ours.
    leases: VecDeque<i64>,
    generation: u64,
    running: bool,
}

#[derive(Debug)]
struct Entry {
    /// What the keys of its service begin with.
    service: String,
    value: Arc<[u8]>,
    stage: Stage,
    generation: u64,
}

#[derive(Debug)]
enum Stage {
    /// Never seen in etcd yet; somebody waits for it.
    New(Answer),
    /// To be put, or put again.
    Missing,
    /// In etcd, with our lease, since this revision.
    There(i64),
    /// To be deleted.
    Leaving(Option<Answer>),
}

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
    generation: u64,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    Put(i64, Batch),
    Delete(Batch),
    /// Nothing for now.
    Wait,
    /// Nothing ever again: nobody is registered any more. The lease that is left is to be revoked.
    End(Option<i64>),
}

impl Desired {
    /// Wants the instance to be there; false if it is wanted already.
    pub(super) fn add(&self, path: &str, service: String, value: Vec<u8>, done: Answer) -> bool {
        let mut state = self.lock();
        let known = state.entries.get(path);
        if known.is_some_and(|entry| !matches!(entry.stage, Stage::Leaving(_))) {
            return false;
        }
        state.generation += 1;
        let entry = Entry {
            service,
            value: value.into(),
            stage: Stage::New(done),
            generation: state.generation,
        };
        if let Some(left) = state.entries.insert(path.to_owned(), entry) {
            left.stage.answer(Ok(()));
        }
        drop(state);
        self.awaited.notify_one();
        self.changed.notify_one();
        self.services_changed.notify_one();
        true
    }

    /// Wants the instance to be gone.
    pub(super) fn remove(&self, path: &str, done: Answer) {
        let mut state = self.lock();
        if let Some(entry) = state.entries.get_mut(path) {
            entry.stage = Stage::Leaving(Some(done));
        } else {
            // It failed to be registered, and what there was of it is gone.
            Stage::Leaving(Some(done)).answer(Ok(()));
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Whether the workers have to be started; they are taken for started then.
    pub(super) fn starts(&self) -> bool {
        let mut state = self.lock();
        let idle = !state.running && !state.entries.is_empty();
        state.running |= idle;
        idle
    }

    /// The workers ended before their time, with their runtime: others may start.
    pub(super) fn interrupted(&self) {
        let mut state = self.lock();
        state.running = false;
        state.lease = None;
        state.unconfirm(|_, _| true);
        for entry in state.entries.values_mut() {
            entry.stage.hang_up();
        }
    }

    /// The lease that instances are put with from now on: all of them, because none is on it yet.
    pub(super) fn set_lease(&self, lease: Option<i64>) {
        let mut state = self.lock();
        state.lease = lease;
        if let Some(lease) = lease {
            state.leases.push_back(lease);
            if state.leases.len() > MOST_LEASES {
                state.leases.pop_front();
            }
            state.unconfirm(|_, _| true);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Says that this lease is gone.
    pub(super) fn lose(&self, lease: i64) {
        let mut state = self.lock();
        if state.lease == Some(lease) {
            state.lease = None;
            drop(state);
            self.lease_lost.notify_one();
        }
    }

    /// Whether the lease is, or was not long ago, one of this process.
    pub(super) fn is_ours(&self, lease: i64) -> bool {
        self.lock().leases.contains(&lease)
    }

    pub(super) fn lease(&self) -> Option<i64> {
        self.lock().lease
    }

    /// No lease is to be had: those who wait for their first registration hear of it.
    pub(super) fn refuse_new(&self, failure: &Failure) {
        let mut state = self.lock();
        for entry in state.entries.values_mut() {
            entry.refuse(failure);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What is to be done next.
    pub(super) fn next(&self) -> Next {
        let mut state = self.lock();
        let leaving = state.batch(|stage| matches!(stage, Stage::Leaving(_)));
        if !leaving.entries.is_empty() {
            return Next::Delete(leaving);
        }
        if state.entries.is_empty() {
            state.running = false;
            return Next::End(state.lease.take());
        }
        let Some(lease) = state.lease else {
            return Next::Wait;
        };
        let missing = state.batch(|stage| matches!(stage, Stage::New(_) | Stage::Missing));
        if missing.entries.is_empty() {
            return Next::Wait;
        }
        Next::Put(lease, missing)
    }

    /// This key is in etcd with this lease since this revision.
    pub(super) fn confirm(&self, job: &Job, lease: i64, revision: i64) {
        let mut state = self.lock();
        let current = state.lease == Some(lease);
        let Some(entry) = state.of(job) else { return };
        if current && matches!(entry.stage, Stage::New(_) | Stage::Missing) {
            mem::replace(&mut entry.stage, Stage::There(revision)).answer(Ok(()));
        }
    }

    /// This key could not be put: one that was never there is given up.
    pub(super) fn refuse(&self, job: &Job, failure: &Failure) {
        let mut state = self.lock();
        if let Some(entry) = state.of(job) {
            entry.refuse(failure);
        }
    }

    /// This new key is somebody else's.
    pub(super) fn taken(&self, job: &Job) {
        let mut state = self.lock();
        let is_new = state
            .of(job)
            .is_some_and(|entry| matches!(entry.stage, Stage::New(_)));
        if is_new && let Some(entry) = state.entries.remove(&job.path) {
            entry.stage.answer(Err(Refusal::Taken));
        }
    }

    /// This key was deleted.
    pub(super) fn deleted(&self, job: &Job) {
        let mut state = self.lock();
        let leaves = state
            .of(job)
            .is_some_and(|entry| matches!(entry.stage, Stage::Leaving(_)));
        if leaves && let Some(entry) = state.entries.remove(&job.path) {
            entry.stage.answer(Ok(()));
        }
    }

    /// These keys could not be deleted; whoever waits for it hears so. They are tried again as long as the lease is kept
    /// for others, and expire with it otherwise.
    pub(super) fn not_deleted(&self, batch: &Batch, failure: &Failure) {
        let mut state = self.lock();
        for job in &batch.entries {
            let Some(entry) = state.of(job) else { continue };
            if let Stage::Leaving(answer) = &mut entry.stage
                && let Some(answer) = answer.take()
            {
                // Who no longer waits need not hear it.
                let _ = answer.send(Err(Refusal::Failed(failure.clone())));
            }
        }
        if state
            .entries
            .values()
            .all(|entry| matches!(entry.stage, Stage::Leaving(_)))
        {
            for entry in mem::take(&mut state.entries).into_values() {
                entry.stage.answer(Err(Refusal::Failed(failure.clone())));
            }
        }
    }

    /// The key was changed by somebody, and has this lease now, or none.
    pub(super) fn touched(&self, path: &str, lease: Option<i64>, revision: i64) {
        let mut state = self.lock();
        let ours = state.lease;
        state.unconfirm(|known, there| known == path && revision > there && lease != ours);
        drop(state);
        self.changed.notify_one();
    }

    /// The keys that should be in etcd, with the revision since which they are.
    pub(super) fn confirmed(&self) -> Vec<(String, i64)> {
        let state = self.lock();
        let there = state
            .entries
            .iter()
            .filter_map(|(path, entry)| match entry.stage {
                Stage::There(revision) => Some((path.clone(), revision)),
                _ => None,
            });
        there.collect()
    }

    /// These keys are not in etcd, unless they were put meanwhile.
    pub(super) fn lost(&self, paths: &[(String, i64)]) {
        let mut state = self.lock();
        for (lost, since) in paths {
            if let Some(entry) = state.entries.get_mut(lost)
                && matches!(entry.stage, Stage::There(revision) if revision == *since)
            {
                entry.stage = Stage::Missing;
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What the keys of the services begin with that have instances here.
    pub(super) fn services(&self) -> BTreeSet<String> {
        let state = self.lock();
        state
            .entries
            .values()
            .map(|entry| entry.service.clone())
            .collect()
    }

    /// A poisoned lock is taken over: nothing that is done under it panics half way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn batch(&self, wanted: impl Fn(&Stage) -> bool) -> Batch {
        let mut bytes = 0;
        let jobs = self
            .entries
            .iter()
            .filter(|(_, entry)| wanted(&entry.stage));
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
        Batch {
            entries: entries.collect(),
        }
    }

    /// The entry of a job, unless another has taken its place.
    fn of(&mut self, job: &Job) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&job.path)?;
        (entry.generation == job.generation).then_some(entry)
    }

    fn unconfirm(&mut self, gone: impl Fn(&str, i64) -> bool) {
        for (path, entry) in &mut self.entries {
            if matches!(entry.stage, Stage::There(revision) if gone(path, revision)) {
                entry.stage = Stage::Missing;
            }
        }
    }
}

impl Entry {
    /// One that is new is given up, and deleted in case it is there after all.
    fn refuse(&mut self, failure: &Failure) {
        if matches!(self.stage, Stage::New(_)) {
            mem::replace(&mut self.stage, Stage::Leaving(None))
                .answer(Err(Refusal::Failed(failure.clone())));
        }
    }
}

impl Stage {
    fn answer(self, answer: Result<(), Refusal>) {
        if let Self::New(waiting) | Self::Leaving(Some(waiting)) = self {
            // Who no longer waits need not hear it.
            let _ = waiting.send(answer);
        }
    }

    /// Lets whoever waits know that there will be no answer.
    fn hang_up(&mut self) {
        match self {
            Self::New(_) => *self = Self::Leaving(None),
            Self::Leaving(waiting) => drop(waiting.take()),
            Self::Missing | Self::There(_) => {}
        }
    }
}
