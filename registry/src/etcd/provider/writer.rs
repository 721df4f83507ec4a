use std::collections::VecDeque;
use std::slice;

use tokio::time::Instant;

use super::Provider;
use super::batch::Job;
use super::desired::Next;
use super::requests::{Unanswered, delete, put};
use crate::etcd::failure::{Failure, Reason};
use crate::failing::Failing;
use crate::remote::pauses;
use crate::remote::telling::at;

/// Puts and deletes what has to be, until nobody is registered any more; returns the lease that is left.
pub(super) async fn write(provider: &Provider) -> Option<i64> {
    let desired = &provider.desired;
    let settings = provider.members.settings();
    let mut pauses = pauses::of_provider(settings.ttl, &settings.env);
    let mut failing = Failing::default();
    loop {
        let written = match desired.next(Instant::now()) {
            Next::End(lease) => return lease,
            Next::Wait(until) => {
                wait(provider, until).await;
                continue;
            }
            Next::Delete(lease, batch) => Write::Delete(lease).all(provider, &batch.entries).await,
            Next::Put(lease, batch) => Write::Put(lease).all(provider, &batch.entries).await,
        };
        match written {
            Ok(()) => {
                pauses.succeeded();
                if failing.ends() {
                    tracing::info!("etcd can be written again");
                }
            }
            Err(failure) => {
                if failing.begins() {
                    tracing::warn!(%failure, "etcd cannot be written; it is tried again and again");
                }
                // Who registers or leaves now is to know now.
                wait(provider, Some(Instant::now() + pauses.failed())).await;
            }
        }
    }
}

/// Until then, or until there may be something to write.
async fn wait(provider: &Provider, until: Option<Instant>) {
    tokio::select! {
        biased;
        () = at(until) => {}
        () = provider.desired.changed.notified() => {}
    }
}

/// What is done to keys.
#[derive(Clone, Copy)]
enum Write {
    /// With this lease.
    Put(i64),
    /// With this lease on them, if there is one.
    Delete(Option<i64>),
}

impl Write {
    /// With one request if etcd takes it. If it does not because of one key, which is to poison no others, with one for each
    /// service, since rights are of services as a rule. The keys of a service of which one is refused have their turn one by
    /// one, after all others. Fails only for what is of no key.
    async fn all(self, provider: &Provider, jobs: &[Job]) -> Result<(), Failure> {
        let unanswered = Unanswered::default();
        let mut parts = VecDeque::from([jobs]);
        while let Some(part) = parts.pop_front() {
            let Err(failure) = self.attempt(provider, part, &unanswered).await else {
                continue;
            };
            if !failure.may_be_of_one_key() {
                for part in parts.into_iter().chain([part]) {
                    self.failed(provider, part, &failure, &unanswered);
                }
                return Err(failure);
            }
            if let [job] = part {
                self.refused(provider, job, &failure, &unanswered);
                continue;
            }
            let of_services = part.chunk_by(|one, other| one.service == other.service);
            if of_services.clone().count() > 1 {
                parts.extend(of_services);
                continue;
            }
            if unanswered.any() {
                self.failed(provider, part, &failure, &unanswered);
            }
            provider.desired.suspect(part, Instant::now());
        }
        Ok(())
    }

    async fn attempt(
        self,
        provider: &Provider,
        jobs: &[Job],
        unanswered: &Unanswered,
    ) -> Result<(), Failure> {
        match self {
            Self::Put(lease) => put(provider, lease, jobs, unanswered).await,
            Self::Delete(lease) => delete(provider, lease, jobs).await,
        }
    }

    /// One key is refused, and is tried again by itself.
    fn refused(self, provider: &Provider, job: &Job, failure: &Failure, unanswered: &Unanswered) {
        self.failed(provider, slice::from_ref(job), failure, unanswered);
        let key = &job.path;
        if provider.desired.put_off(job, Instant::now()) {
            tracing::warn!(key, %failure, "a key in etcd cannot be written; it is tried again and again, and others are not held up");
        } else {
            tracing::debug!(key, %failure, "a key in etcd cannot be written");
        }
    }

    fn failed(self, provider: &Provider, jobs: &[Job], failure: &Failure, unanswered: &Unanswered) {
        let desired = &provider.desired;
        match self {
            Self::Delete(_) => desired.not_deleted(jobs, failure),
            // Put again once there is a new one.
            Self::Put(lease) if failure.reason == Reason::Lease => desired.lose(lease),
            Self::Put(_) if unanswered.any() => {
                jobs.iter().for_each(|job| desired.refuse(job, failure));
            }
            Self::Put(_) => jobs.iter().for_each(|job| desired.never_put(job, failure)),
        }
    }
}
