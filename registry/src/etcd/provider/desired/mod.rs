use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doge_base::{Env, Pauses};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Refusal;
use super::batch::{Batch, Job};
use super::entry::{Answer, Entry, Leaving, Retry, Stage};
use crate::etcd::failure::Failure;
use crate::remote::pauses;

/// How many leases are remembered; those before them have expired.
const MOST_LEASES: usize = 16;

/// What this process should have in etcd, and what of it is known to be there.
#[derive(Debug)]
pub(super) struct Desired {
    /// The pauses of a key that is refused on its own.
    pauses: Pauses,
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
    /// The last delete failed: what is to be put has its turn now.
    puts_first: bool,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    Put(i64, Batch),
    /// With the lease that there is.
    Delete(Option<i64>, Batch),
    /// Nothing for now; until a key has its next try, if one has.
    Wait(Option<Instant>),
    /// Nothing ever again: nobody is registered any more. The lease that is left is to be revoked.
    End(Option<i64>),
}

impl Desired {
    /// Nothing yet. A key that is refused on its own is tried again after pauses up to `ttl`.
    pub(super) fn new(ttl: Duration, env: &Env) -> Self {
        Self {
            pauses: pauses::of_key(ttl, env),
            state: Mutex::default(),
            changed: Notify::new(),
            awaited: Notify::new(),
            services_changed: Notify::new(),
            lease_lost: Notify::new(),
        }
    }

    /// Wants the instance to be there, and says which generation of its key that is; none if it is wanted already.
    pub(super) fn add(
        &self,
        path: &str,
        service: String,
        value: Vec<u8>,
        done: Answer,
    ) -> Option<u64> {
        let mut state = self.lock();
        let known = state.entries.get(path);
        if known.is_some_and(|entry| !entry.stage.is_leaving()) {
            return None;
        }
        state.generation += 1;
        let entry = Entry {
            service,
            value: value.into(),
            stage: Stage::New(done),
            generation: state.generation,
            retry: None,
        };
        let generation = state.generation;
        if let Some(left) = state.entries.insert(path.to_owned(), entry) {
            left.stage.answer(Ok(()));
        }
        drop(state);
        self.awaited.notify_one();
        self.changed.notify_one();
        self.services_changed.notify_one();
        Some(generation)
    }

    /// Wants the instance to be gone that was added with this generation, after it has said `farewell`.
    pub(super) fn remove(
        &self,
        path: &str,
        generation: u64,
        farewell: Option<Vec<u8>>,
        done: Answer,
    ) {
        let mut state = self.lock();
        let known = state.entries.get_mut(path);
        if let Some(entry) = known.filter(|entry| entry.generation == generation) {
            let there = matches!(entry.stage, Stage::There(_));
            // Who leaves now is to know now.
            entry.retry = None;
            entry.stage = Stage::Leaving(Leaving {
                answer: Some(done),
                farewell: farewell.filter(|_| there).map(Into::into),
            });
        } else {
            // It failed to be registered, and what there was of it is gone, or has made room for a later one.
            let _ = done.send(Ok(()));
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

    /// The lease that instances are put with from now on: all of them, if it is a new one, because none is on it yet.
    pub(super) fn set_lease(&self, lease: Option<i64>) {
        let mut state = self.lock();
        state.lease = lease;
        if let Some(lease) = lease
            && state.leases.back() != Some(&lease)
        {
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

    /// How many were added so far.
    pub(super) fn added(&self) -> u64 {
        self.lock().generation
    }

    /// No lease is to be had: of the first so many that were added, those who wait for their first registration hear
    /// of it. The others came when it was asked for already, and may have more luck.
    pub(super) fn refuse_new(&self, added: u64, failure: &Failure) {
        let mut state = self.lock();
        for entry in state.entries.values_mut() {
            if entry.generation <= added {
                entry.refuse(failure);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What is to be done next: all that was never refused first, and then those whose next try it is, each alone.
    pub(super) fn next(&self, now: Instant) -> Next {
        let mut state = self.lock();
        if state.entries.is_empty() {
            state.running = false;
            return Next::End(state.lease.take());
        }
        let puts_first = mem::take(&mut state.puts_first);
        let (put, delete) = (state.next_put(), state.next_delete());
        let next = if puts_first {
            put.or(delete)
        } else {
            delete.or(put)
        };
        next.unwrap_or_else(|| state.next_retry(now))
    }

    /// This key is in etcd with this lease since this revision.
    pub(super) fn confirm(&self, job: &Job, lease: i64, revision: i64) {
        let mut state = self.lock();
        let current = state.lease == Some(lease);
        let Some(entry) = state.of(job) else { return };
        if current && matches!(entry.stage, Stage::New(_) | Stage::Missing) {
            entry.retry = None;
            mem::replace(&mut entry.stage, Stage::There(revision)).answer(Ok(()));
        }
    }

    /// One of these keys is refused: each has its turn alone, after all others.
    pub(super) fn suspect(&self, jobs: &[Job], now: Instant) {
        let mut state = self.lock();
        for job in jobs {
            if let Some(entry) = state.of(job) {
                entry.retry.get_or_insert_with(|| Retry {
                    pauses: self.pauses.clone(),
                    at: now,
                    refused: false,
                });
            }
        }
    }

    /// This key was refused, and others were not: it is tried again after a pause of its own. True if it is the only one.
    pub(super) fn put_off(&self, job: &Job, now: Instant) -> bool {
        let mut state = self.lock();
        let Some(entry) = state.of(job) else {
            return false;
        };
        let mut pauses = match entry.retry.take() {
            Some(retry) => retry.pauses,
            None => self.pauses.clone(),
        };
        let at = now + pauses.failed();
        entry.retry = Some(Retry {
            pauses,
            at,
            refused: true,
        });
        let retries = state.entries.values().filter_map(|it| it.retry.as_ref());
        retries.filter(|retry| retry.refused).count() == 1
    }

    /// This key could not be put, and was not: one that was never there is given up.
    pub(super) fn never_put(&self, job: &Job, failure: &Failure) {
        let mut state = self.lock();
        let is_new = state.of(job).is_some_and(|entry| entry.stage.is_new());
        if is_new && let Some(entry) = state.entries.remove(&job.path) {
            entry.stage.answer(Err(Refusal::Failed(failure.clone())));
            drop(state);
            self.services_changed.notify_one();
        }
    }

    /// This key may have been put or not: one that was never there before is given up, and deleted.
    pub(super) fn refuse(&self, job: &Job, failure: &Failure) {
        let mut state = self.lock();
        if let Some(entry) = state.of(job) {
            entry.refuse(failure);
        }
        drop(state);
        self.services_changed.notify_one();
    }

    /// This new key is somebody else's.
    pub(super) fn taken(&self, job: &Job) {
        let mut state = self.lock();
        let is_new = state.of(job).is_some_and(|entry| entry.stage.is_new());
        if is_new && let Some(entry) = state.entries.remove(&job.path) {
            entry.stage.answer(Err(Refusal::Taken));
        }
    }

    /// This key was deleted.
    pub(super) fn deleted(&self, job: &Job) {
        let mut state = self.lock();
        let leaves = state.of(job).is_some_and(|entry| entry.stage.is_leaving());
        if leaves && let Some(entry) = state.entries.remove(&job.path) {
            entry.stage.answer(Ok(()));
        }
    }

    /// These keys could not be deleted; whoever waits for it hears so. They are tried again as long as the lease is kept
    /// for others, and expire with it otherwise.
    pub(super) fn not_deleted(&self, jobs: &[Job], failure: &Failure) {
        let mut state = self.lock();
        state.puts_first = true;
        for job in jobs {
            let Some(entry) = state.of(job) else { continue };
            if let Stage::Leaving(leaving) = &mut entry.stage
                && let Some(answer) = leaving.answer.take()
            {
                // Who no longer waits need not hear it.
                let _ = answer.send(Err(Refusal::Failed(failure.clone())));
            }
        }
        if !state.entries.values().all(|entry| entry.stage.is_leaving()) {
            return;
        }
        if failure.may_be_of_one_key() {
            for job in jobs {
                if state.of(job).is_some() {
                    state.entries.remove(&job.path);
                }
            }
        } else {
            for entry in mem::take(&mut state.entries).into_values() {
                entry.stage.answer(Err(Refusal::Failed(failure.clone())));
            }
        }
    }

    /// The key was changed by somebody, and has this lease now, or none.
    pub(super) fn touched(&self, path: &str, lease: Option<i64>, revision: i64) {
        let mut state = self.lock();
        let ours = state.lease;
        // Without a lease of ours, nothing is what a deleted key has in common with it.
        let strange = lease.is_none() || lease != ours;
        let gone = state.unconfirm(|known, there| known == path && revision > there && strange);
        drop(state);
        if gone {
            self.changed.notify_one();
        }
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

    /// What the keys of the services begin with that have instances here, and not only such as leave.
    pub(super) fn services(&self) -> BTreeSet<String> {
        let state = self.lock();
        state
            .entries
            .values()
            .filter(|entry| !entry.stage.is_leaving())
            .map(|entry| entry.service.clone())
            .collect()
    }

    /// A poisoned lock is taken over: nothing that is done under it panics half way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The entry of a job, unless another has taken its place.
    fn of(&mut self, job: &Job) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&job.path)?;
        (entry.generation == job.generation).then_some(entry)
    }

    fn next_put(&self) -> Option<Next> {
        let missing = Batch::of(&self.entries, |stage| {
            matches!(stage, Stage::New(_) | Stage::Missing)
        });
        (!missing.entries.is_empty()).then_some(Next::Put(self.lease?, missing))
    }

    fn next_delete(&self) -> Option<Next> {
        let leaving = Batch::of(&self.entries, Stage::is_leaving);
        (!leaving.entries.is_empty()).then_some(Next::Delete(self.lease, leaving))
    }

    /// The key that has waited for its next try the longest, or how long to wait for it.
    fn next_retry(&self, now: Instant) -> Next {
        let due = self.entries.iter().filter_map(|(path, entry)| {
            let at = entry.retry.as_ref()?.at;
            let next = match entry.stage {
                Stage::New(_) | Stage::Missing => Next::Put(self.lease?, Batch::one(path, entry)),
                Stage::Leaving(_) => Next::Delete(self.lease, Batch::one(path, entry)),
                Stage::There(_) => return None,
            };
            Some((at, next))
        });
        match due.min_by_key(|(at, _)| *at) {
            Some((at, next)) if at <= now => next,
            Some((at, _)) => Next::Wait(Some(at)),
            None => Next::Wait(None),
        }
    }

    /// Has those put again that are gone; true if any is.
    fn unconfirm(&mut self, gone: impl Fn(&str, i64) -> bool) -> bool {
        let mut any = false;
        for (path, entry) in &mut self.entries {
            if matches!(entry.stage, Stage::There(revision) if gone(path, revision)) {
                entry.stage = Stage::Missing;
                any = true;
            }
        }
        any
    }
}

#[cfg(test)]
mod tests;
