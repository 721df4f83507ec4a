use std::slice;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::PutOptions;
use etcd_client::{Client, Error, GetOptions, GetResponse, Txn, TxnOp, TxnOpResponse, TxnResponse};
use tokio::time::sleep;

use super::Provider;
use super::batch::Job;
use super::desired::Next;
use crate::etcd::failure::{Failure, Reason};
use crate::failing::Failing;
use crate::remote::pauses;

/// Puts and deletes what has to be, until nobody is registered any more; returns the lease that is left.
pub(super) async fn write(provider: &Provider) -> Option<i64> {
    let desired = &provider.desired;
    let settings = provider.members.settings();
    let mut pauses = pauses::of_provider(settings.ttl, &settings.env);
    let mut failing = Failing::default();
    loop {
        let written = match desired.next() {
            Next::End(lease) => return lease,
            Next::Wait => {
                desired.changed.notified().await;
                continue;
            }
            Next::Delete(batch) => Write::Delete.all(provider, &batch.entries).await,
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
                pause(provider, pauses.failed()).await;
            }
        }
    }
}

/// Who registers or leaves now is to know now.
async fn pause(provider: &Provider, pause: Duration) {
    tokio::select! {
        biased;
        () = sleep(pause) => {}
        () = provider.desired.changed.notified() => {}
    }
}

/// What is done to keys.
#[derive(Clone, Copy)]
enum Write {
    /// With this lease.
    Put(i64),
    Delete,
}

impl Write {
    /// With one request if etcd takes it, and key by key if it does not: one that is denied is to poison no others.
    async fn all(self, provider: &Provider, jobs: &[Job]) -> Result<(), Failure> {
        let unanswered = Unanswered::default();
        let Err(failure) = self.attempt(provider, jobs, &unanswered).await else {
            return Ok(());
        };
        if jobs.len() == 1 || !failure.may_be_of_one_key() {
            self.failed(provider, jobs, &failure, &unanswered);
            return Err(failure);
        }
        let mut written = Ok(());
        for (at, job) in jobs.iter().enumerate() {
            let one = slice::from_ref(job);
            let Err(failure) = self.attempt(provider, one, &unanswered).await else {
                continue;
            };
            if !failure.may_be_of_one_key() {
                self.failed(provider, &jobs[at..], &failure, &unanswered);
                return Err(failure);
            }
            self.failed(provider, one, &failure, &unanswered);
            written = Err(failure);
        }
        written
    }

    async fn attempt(
        self,
        provider: &Provider,
        jobs: &[Job],
        unanswered: &Unanswered,
    ) -> Result<(), Failure> {
        match self {
            Self::Put(lease) => put(provider, lease, jobs, unanswered).await,
            Self::Delete => delete(provider, jobs).await,
        }
    }

    fn failed(self, provider: &Provider, jobs: &[Job], failure: &Failure, unanswered: &Unanswered) {
        let desired = &provider.desired;
        match self {
            Self::Delete => desired.not_deleted(jobs, failure),
            // Put again once there is a new one.
            Self::Put(lease) if failure.reason == Reason::Lease => desired.lose(lease),
            Self::Put(_) if unanswered.any() => {
                jobs.iter().for_each(|job| desired.refuse(job, failure));
            }
            Self::Put(_) => jobs.iter().for_each(|job| desired.never_put(job, failure)),
        }
    }
}

/// Counts the puts that were not refused, and may have been done although nobody said so.
#[derive(Default)]
struct Unanswered(AtomicUsize);

impl Unanswered {
    fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Nothing was done.
    fn refused(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

async fn delete(provider: &Provider, jobs: &[Job]) -> Result<(), Failure> {
    let deletes = jobs
        .iter()
        .map(|job| TxnOp::delete(job.path.as_str(), None));
    transact(provider, deletes.collect()).await?;
    for job in jobs {
        provider.desired.deleted(job);
    }
    Ok(())
}

async fn put(
    provider: &Provider,
    lease: i64,
    jobs: &[Job],
    unanswered: &Unanswered,
) -> Result<(), Failure> {
    let jobs = without_taken(provider, jobs).await?;
    if jobs.is_empty() {
        return Ok(());
    }
    let options = PutOptions::new().with_lease(lease);
    let puts = jobs
        .iter()
        .map(|job| TxnOp::put(job.path.as_str(), &job.value[..], Some(options.clone())));
    let transaction = Txn::new().and_then(puts.collect::<Vec<_>>());
    let put = provider
        .members
        .call(|client| run_put(client, transaction.clone(), unanswered))
        .await?;
    let revision = put.header().map_or(0, |header| header.revision());
    confirm(provider, lease, revision, &jobs).await
}

/// Leaves out what others have registered: only what was never there before can be.
async fn without_taken(provider: &Provider, jobs: &[Job]) -> Result<Vec<Job>, Failure> {
    let (new, mut rest): (Vec<Job>, Vec<Job>) = jobs.iter().cloned().partition(|job| job.is_new);
    let found = leases_of(provider, &new).await?;
    for (job, found) in new.into_iter().zip(found) {
        if found.is_none_or(|found| provider.desired.is_ours(found)) {
            rest.push(job);
        } else {
            provider.desired.taken(&job);
        }
    }
    Ok(rest)
}

/// Reads back what was put.
async fn confirm(
    provider: &Provider,
    lease: i64,
    revision: i64,
    batch: &[Job],
) -> Result<(), Failure> {
    let found = leases_of(provider, batch).await?;
    let mut missing = None;
    for (job, found) in batch.iter().zip(found) {
        if found == Some(lease) {
            provider.desired.confirm(job, lease, revision);
        } else {
            let text = format!("{} was put and is not there when read back", job.path);
            let failure = Failure::new(Reason::Refused, text);
            provider.desired.refuse(job, &failure);
            missing = Some(failure);
        }
    }
    missing.map_or(Ok(()), Err)
}

/// The lease of each key that is there.
async fn leases_of(provider: &Provider, jobs: &[Job]) -> Result<Vec<Option<i64>>, Failure> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let options = GetOptions::new().with_keys_only();
    let gets = jobs
        .iter()
        .map(|job| TxnOp::get(job.path.as_str(), Some(options.clone())));
    let answer = transact(provider, gets.collect()).await?;
    let found = answer.op_responses().into_iter().map(|one| match one {
        TxnOpResponse::Get(found) => lease_of(&found),
        _ => None,
    });
    Ok(found.collect())
}

fn lease_of(found: &GetResponse) -> Option<i64> {
    found.kvs().first().map(|kv| kv.lease())
}

async fn transact(provider: &Provider, operations: Vec<TxnOp>) -> Result<TxnResponse, Failure> {
    let transaction = Txn::new().and_then(operations);
    provider
        .members
        .call(|client| run(client, transaction.clone()))
        .await
}

async fn run(client: Client, transaction: Txn) -> Result<TxnResponse, Error> {
    client.kv_client().txn(transaction).await
}

/// Counted before it is sent, because a request that is given up is heard of no more.
async fn run_put(
    client: Client,
    transaction: Txn,
    unanswered: &Unanswered,
) -> Result<TxnResponse, Error> {
    unanswered.begin();
    let done = run(client, transaction).await;
    if let Err(error) = &done
        && Failure::from(error).reason != Reason::Member
    {
        unanswered.refused();
    }
    done
}
