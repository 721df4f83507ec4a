use std::collections::BTreeSet;
use std::convert::Infallible;

use etcd_client::LeaseTimeToLiveOptions;
use tokio::time::sleep;

use super::Provider;
use crate::etcd::failure::Failure;

/// How many times to live are between two audits.
const SELDOM: u32 = 4;

/// Asks etcd from time to time which keys are on the lease: one that no event told of is missed then. The guard asks
/// whenever it has not watched for a moment.
pub(super) async fn audit(provider: &Provider) -> Infallible {
    let settings = provider.members.settings();
    loop {
        sleep(settings.env.jittered(settings.ttl * SELDOM, 0.2)).await;
        if let Err(failure) = look(provider).await {
            tracing::debug!(%failure, "the keys on the lease cannot be read for a moment");
        }
    }
}

/// Compares what should be on the lease with what is.
pub(super) async fn look(provider: &Provider) -> Result<(), Failure> {
    let Some(lease) = provider.desired.lease() else {
        return Ok(());
    };
    let mut missing = provider.desired.confirmed();
    let answer = provider
        .members
        .call(|client| async move {
            let options = LeaseTimeToLiveOptions::new().with_keys();
            client
                .lease_client()
                .time_to_live(lease, Some(options))
                .await
        })
        .await?;
    if answer.ttl() <= 0 {
        provider.desired.lose(lease);
        return Ok(());
    }
    let found: BTreeSet<&[u8]> = answer.keys().iter().map(Vec::as_slice).collect();
    missing.retain(|(path, _)| !found.contains(path.as_bytes()));
    if !missing.is_empty() {
        tracing::warn!(
            count = missing.len(),
            "instances of this process are gone from etcd; they are registered again"
        );
        provider.desired.lost(&missing);
    }
    Ok(())
}
