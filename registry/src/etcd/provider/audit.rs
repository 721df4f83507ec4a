use std::collections::VecDeque;
use std::convert::Infallible;

use tokio::time::sleep;

use super::Provider;
use super::batch::MOST_KEYS;
use super::requests::leases_of;
use crate::etcd::failure::{Failure, Reason};

/// How many times to live are between two audits.
const SELDOM: u32 = 4;

/// Reads the keys of this process from time to time, so that the loss of a key is noticed although no event told of it. The
/// guard has them read whenever it has not watched for a moment.
pub(super) async fn audit(provider: &Provider) -> Infallible {
    let settings = provider.members.settings();
    loop {
        sleep(settings.env.jittered(settings.ttl * SELDOM, 0.2)).await;
        if let Err(failure) = look(provider).await {
            tracing::debug!(%failure, "the keys of this process cannot be read for a moment");
        }
    }
}

/// Compares what should be on the lease with what is: a key that is gone, or on none or another, is put again.
///
/// The keys are read, and not asked of the lease: since 3.4.26 and 3.5.9 etcd tells no key of a lease to who may not read
/// all of them.
pub(super) async fn look(provider: &Provider) -> Result<(), Failure> {
    let Some(lease) = provider.desired.lease() else {
        return Ok(());
    };
    let confirmed = provider.desired.confirmed();
    let mut missing = Vec::new();
    let mut parts: VecDeque<_> = confirmed.chunks(MOST_KEYS).collect();
    while let Some(part) = parts.pop_front() {
        let paths = part.iter().map(|(path, _)| path.as_str());
        match leases_of(provider, paths).await {
            Ok(found) => {
                let found = part.iter().zip(found);
                let gone = found.filter(|(_, found)| *found != Some(lease));
                missing.extend(gone.map(|(key, _)| key.clone()));
            }
            Err(failure) if failure.reason == Reason::Denied => {
                let of_services =
                    part.chunk_by(|(one, _), (other, _)| folder(one) == folder(other));
                // What may not be read cannot be put either.
                if of_services.clone().count() > 1 {
                    parts.extend(of_services);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    if !missing.is_empty() {
        tracing::warn!(
            count = missing.len(),
            "instances of this process are gone from etcd; they are registered again"
        );
        provider.desired.lost(&missing);
    }
    Ok(())
}

/// What the keys of its service begin with.
fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}
