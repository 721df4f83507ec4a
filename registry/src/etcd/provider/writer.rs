use etcd_client::PutOptions;
use etcd_client::{Client, Error, GetOptions, GetResponse, Txn, TxnOp, TxnOpResponse, TxnResponse};
use tokio::time::sleep;

use super::Provider;
use super::batch::{Batch, Job};
use super::desired::Next;
use crate::etcd::backoff::Backoff;
use crate::etcd::failure::{Failure, Reason};
use crate::failing::Failing;

/// Puts and deletes what has to be, until nobody is registered any more; returns the lease that is left.
pub(super) async fn write(provider: &Provider) -> Option<i64> {
    let desired = &provider.desired;
    let mut backoff = Backoff::provider(provider.members.settings().ttl);
    let mut failing = Failing::default();
    loop {
        let written = match desired.next() {
            Next::End(lease) => return lease,
            Next::Wait => {
                desired.changed.notified().await;
                continue;
            }
            Next::Delete(batch) => delete(provider, &batch).await,
            Next::Put(lease, batch) => put(provider, lease, &batch).await,
        };
        match written {
            Ok(()) => {
                backoff.reset();
                if failing.ends() {
                    tracing::info!("etcd can be written again");
                }
            }
            Err(failure) => {
                if failing.begins() {
                    tracing::warn!(%failure, "etcd cannot be written; it is tried again and again");
                }
                pause(provider, &mut backoff).await;
            }
        }
    }
}

/// Who registers or leaves now is to know now.
async fn pause(provider: &Provider, backoff: &mut Backoff) {
    tokio::select! {
        () = sleep(backoff.pause()) => {}
        () = provider.desired.changed.notified() => {}
    }
}

async fn delete(provider: &Provider, batch: &Batch) -> Result<(), Failure> {
    let deletes = batch
        .entries
        .iter()
        .map(|job| TxnOp::delete(job.path.as_str(), None));
    match transact(provider, deletes.collect()).await {
        Ok(_) => {
            for job in &batch.entries {
                provider.desired.deleted(job);
            }
            Ok(())
        }
        Err(failure) => {
            provider.desired.not_deleted(batch, &failure);
            Err(failure)
        }
    }
}

async fn put(provider: &Provider, lease: i64, batch: &Batch) -> Result<(), Failure> {
    let put = try_put(provider, lease, batch).await;
    if let Err(failure) = &put {
        if failure.reason == Reason::Lease {
            // Put again once there is a new one.
            provider.desired.lose(lease);
            return put;
        }
        for job in &batch.entries {
            provider.desired.refuse(job, failure);
        }
    }
    put
}

async fn try_put(provider: &Provider, lease: i64, batch: &Batch) -> Result<(), Failure> {
    let batch = without_taken(provider, batch).await?;
    if batch.is_empty() {
        return Ok(());
    }
    let options = PutOptions::new().with_lease(lease);
    let puts = batch
        .iter()
        .map(|job| TxnOp::put(job.path.as_str(), &job.value[..], Some(options.clone())));
    let put = transact(provider, puts.collect()).await?;
    let revision = put.header().map_or(0, |header| header.revision());
    confirm(provider, lease, revision, &batch).await
}

/// Leaves out what others have registered: only what was never there before can be.
async fn without_taken(provider: &Provider, batch: &Batch) -> Result<Vec<Job>, Failure> {
    let (new, mut rest): (Vec<Job>, Vec<Job>) =
        batch.entries.iter().cloned().partition(|job| job.is_new);
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
