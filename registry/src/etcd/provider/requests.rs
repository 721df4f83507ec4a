//! The requests that write keys.

use std::sync::atomic::{AtomicUsize, Ordering};

use etcd_client::{
    Client, Compare, CompareOp, Error, GetOptions, GetResponse, PutOptions, Txn, TxnOp,
    TxnOpResponse, TxnResponse,
};

use super::Provider;
use super::batch::Job;
use crate::etcd::failure::{Failure, Reason};

/// Counts the puts that were not refused, and may have been done although nobody said so.
#[derive(Default)]
pub(super) struct Unanswered(AtomicUsize);

impl Unanswered {
    fn begin(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Nothing was done.
    fn refused(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Says farewell, so that those who watch need not doubt that they are gone, and deletes them.
///
/// Etcd takes no two changes of one key in a transaction. If this process dies between the two, what is left has no
/// weight, and expires.
pub(super) async fn delete(
    provider: &Provider,
    lease: Option<i64>,
    jobs: &[Job],
) -> Result<(), Failure> {
    let (marked, unmarked) = say_farewell(provider, lease, jobs).await?;
    let found = leases_of(provider, paths(&unmarked)).await?;
    // What somebody else has registered in the meantime is left alone; what is on no lease would stay for ever.
    let is_ours = |lease: &i64| *lease == 0 || provider.desired.is_ours(*lease);
    let found = unmarked.into_iter().zip(found);
    let rest = found.filter(|(_, found)| found.as_ref().is_some_and(is_ours));
    let ours: Vec<Job> = marked.into_iter().chain(rest.map(|(job, _)| job)).collect();
    if !ours.is_empty() {
        let deletes = ours
            .iter()
            .map(|job| TxnOp::delete(job.path.as_str(), None));
        transact(provider, deletes.collect()).await?;
    }
    for job in jobs {
        provider.desired.deleted(job);
    }
    Ok(())
}

/// Marks those as leaving that have a farewell, if all of these are on this lease. Gives back those that are marked, and the
/// others.
async fn say_farewell(
    provider: &Provider,
    lease: Option<i64>,
    jobs: &[Job],
) -> Result<(Vec<Job>, Vec<Job>), Failure> {
    let (polite, mut rest): (Vec<Job>, Vec<Job>) =
        (jobs.iter().cloned()).partition(|job| job.farewell.is_some());
    let Some(lease) = lease.filter(|_| !polite.is_empty()) else {
        return Ok((Vec::new(), jobs.to_vec()));
    };
    let options = PutOptions::new().with_lease(lease);
    let on_lease = paths(&polite).map(|path| Compare::lease(path, CompareOp::Equal, lease));
    let puts = polite.iter().filter_map(|job| {
        let value = job.farewell.as_deref()?;
        Some(TxnOp::put(job.path.as_str(), value, Some(options.clone())))
    });
    let transaction = Txn::new()
        .when(on_lease.collect::<Vec<_>>())
        .and_then(puts.collect::<Vec<_>>());
    let said = provider
        .members
        .call(|client| run(client, transaction.clone()))
        .await;
    match said {
        Ok(answer) if answer.succeeded() => return Ok((polite, rest)),
        Ok(_) => {}
        Err(failure) if failure.is_of_member() => return Err(failure),
        Err(failure) => tracing::debug!(%failure, "instances leave without a farewell"),
    }
    rest.extend(polite);
    Ok((Vec::new(), rest))
}

/// Puts those that are not somebody else's on this lease, and reads them back.
pub(super) async fn put(
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
    let found = leases_of(provider, paths(&new)).await?;
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
    let found = leases_of(provider, paths(batch)).await?;
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

fn paths(jobs: &[Job]) -> impl Iterator<Item = &str> {
    jobs.iter().map(|job| job.path.as_str())
}

/// The lease of each of these keys that is there. They fit into one request.
pub(super) async fn leases_of(
    provider: &Provider,
    paths: impl Iterator<Item = &str>,
) -> Result<Vec<Option<i64>>, Failure> {
    let options = GetOptions::new().with_keys_only();
    let gets: Vec<_> = paths
        .map(|path| TxnOp::get(path, Some(options.clone())))
        .collect();
    if gets.is_empty() {
        return Ok(Vec::new());
    }
    let answer = transact(provider, gets).await?;
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
