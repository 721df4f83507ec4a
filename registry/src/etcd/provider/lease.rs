use std::convert::Infallible;
use std::time::Duration;

use doge_base::{Backoff, Pauses};
use etcd_client::{LeaseKeepAliveStream, LeaseKeeper};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout_at};

use super::Provider;
use crate::etcd::failure::{Failure, Reason};
use crate::failing::Failing;
use crate::remote::pauses;

/// For a lease that lives on while another member is sought.
const RENEWAL: Backoff = Backoff {
    first: Duration::from_millis(50),
    longest: Duration::from_millis(400),
    factor: 2.0,
    jitter: 0.5,
};

/// A lease that etcd granted.
#[derive(Clone, Copy, Debug)]
struct Lease {
    id: i64,
    /// As etcd decided, which may be longer than asked for.
    ttl: Duration,
}

/// Has a lease at all times, and a new one whenever it is lost.
pub(super) async fn keep(provider: &Provider) -> Infallible {
    let settings = provider.members.settings();
    let mut pauses = pauses::of_provider(settings.ttl, &settings.env);
    let mut failing = Failing::default();
    // The last one, as long as etcd has not said that it is gone.
    let mut last = None;
    loop {
        let added = provider.desired.added();
        match obtain(provider, &mut last).await {
            Ok(lease) => {
                pauses.succeeded();
                if failing.ends() {
                    tracing::info!("there is a lease again for the instances of this process");
                }
                provider.desired.set_lease(Some(lease.id));
                let failure = renew(provider, lease).await;
                provider.desired.set_lease(None);
                last = (failure.reason != Reason::Lease).then_some(lease);
                failing.begins();
                tracing::warn!(%failure, "the lease on the instances of this process is lost; they are registered again with a new one");
            }
            Err(failure) => {
                if failing.begins() {
                    tracing::warn!(%failure, "etcd grants no lease; it is asked again and again");
                }
                provider.desired.refuse_new(added, &failure);
                // Who registers now is to know now.
                tokio::select! {
                    biased;
                    () = sleep(pauses.failed()) => {}
                    () = provider.desired.awaited.notified() => {}
                }
            }
        }
    }
}

/// A new lease; or the last one, if etcd grants none and still has that one, as it does when its quota is used up.
async fn obtain(provider: &Provider, last: &mut Option<Lease>) -> Result<Lease, Failure> {
    let failure = match grant(provider).await {
        Ok(lease) => return Ok(lease),
        Err(failure) => failure,
    };
    let Some(lease) = *last else {
        return Err(failure);
    };
    let renewed = provider
        .members
        .call(|client| async move { client.lease_client().keep_alive(lease.id).await.map(drop) })
        .await;
    match renewed {
        Ok(()) => Ok(lease),
        Err(gone) => {
            if gone.reason == Reason::Lease {
                *last = None;
            }
            Err(failure)
        }
    }
}

/// Gives the lease back; if that fails, it expires.
pub(super) async fn revoke(provider: &Provider, lease: i64) {
    let revoked = provider
        .members
        .call(|client| async move { client.lease_client().revoke(lease).await })
        .await;
    if let Err(failure) = revoked {
        tracing::debug!(%failure, "the lease was not revoked and expires");
    }
}

async fn grant(provider: &Provider) -> Result<Lease, Failure> {
    let wanted = provider.members.settings().ttl;
    let seconds = i64::try_from(wanted.as_secs()).unwrap_or(i64::MAX);
    let granted = provider
        .members
        .call(|client| async move { client.lease_client().grant(seconds, None).await })
        .await?;
    let ttl = u64::try_from(granted.ttl()).map_or(wanted, Duration::from_secs);
    Ok(Lease {
        id: granted.id(),
        // A time of nothing would be renewed without a pause.
        ttl: ttl.max(Duration::from_secs(1)),
    })
}

/// Renews the lease with one member after the other until it is lost: because etcd says so, or says nothing for two
/// thirds of its time to live.
async fn renew(provider: &Provider, lease: Lease) -> Failure {
    let mut pauses = Pauses::new(RENEWAL, provider.members.settings().env.clone());
    let mut acknowledged = Instant::now();
    loop {
        let lost_at = acknowledged + lease.ttl * 2 / 3;
        let before = acknowledged;
        let failure = tokio::select! {
            biased;
            failure = renew_with_one(provider, lease, &mut acknowledged) => failure,
            () = provider.desired.lease_lost.notified() => {
                if provider.desired.lease().is_some() {
                    // That was said of an earlier one.
                    continue;
                }
                Failure::new(Reason::Lease, "etcd does not know it any more")
            }
        };
        if failure.reason == Reason::Lease {
            return failure;
        }
        if acknowledged > before {
            pauses.succeeded();
        } else if Instant::now() >= lost_at {
            return failure;
        }
        tracing::debug!(%failure, "the lease is renewed with another member");
        sleep(pauses.failed()).await;
    }
}

async fn renew_with_one(provider: &Provider, lease: Lease, acknowledged: &mut Instant) -> Failure {
    let members = &provider.members;
    let lost_at = *acknowledged + lease.ttl * 2 / 3;
    let member = match timeout_at(lost_at, members.current()).await {
        Ok(Ok(member)) => member,
        Ok(Err(failure)) => return failure,
        Err(_) => return unacknowledged(),
    };
    let opening = members.within(async {
        let mut client = member.client.lease_client();
        client.keep_alive(lease.id).await
    });
    let failure = match timeout_at(lost_at, opening).await {
        Ok(Ok((keeper, answers))) => {
            *acknowledged = Instant::now();
            stream(keeper, answers, lease, acknowledged).await
        }
        Ok(Err(failure)) => failure,
        Err(_) => unacknowledged(),
    };
    if failure.is_of_member() {
        members.leave(&member);
    }
    failure
}

/// Asks every third of the time to live, until there is no answer for half of it: the rest is for another member.
async fn stream(
    mut keeper: LeaseKeeper,
    mut answers: LeaseKeepAliveStream,
    lease: Lease,
    acknowledged: &mut Instant,
) -> Failure {
    let period = lease.ttl / 3;
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = ticks.tick() => {
                // It waits only when a hundred are under way, and then the other branches are what counts.
                let sent = timeout_at(*acknowledged + lease.ttl / 2, keeper.keep_alive()).await;
                match sent {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return error.into(),
                    Err(_) => return unacknowledged(),
                }
            }
            answer = answers.message() => match answer {
                Ok(Some(answer)) if answer.ttl() > 0 => *acknowledged = Instant::now(),
                Ok(Some(_)) => return gone(),
                Ok(None) => return Failure::new(Reason::Member, "etcd ended the stream"),
                Err(error) => return error.into(),
            },
            () = sleep_until(*acknowledged + lease.ttl / 2) => return unacknowledged(),
        }
    }
}

fn gone() -> Failure {
    Failure::new(
        Reason::Lease,
        "etcd says that it has expired or was revoked",
    )
}

fn unacknowledged() -> Failure {
    Failure::new(Reason::Member, "etcd did not acknowledge it in time")
}
