use std::collections::BTreeSet;
use std::convert::Infallible;

use doge_base::Pauses;
use etcd_client::{EventType, WatchOptions, WatchResponse, WatchStream};
use tokio::time::sleep;

use super::{Provider, audit};
use crate::etcd::failure::{Failure, Reason};
use crate::remote::pauses;

/// Watches the services that have instances here, so that one that somebody else deletes is back at once.
pub(super) async fn guard(provider: &Provider) -> Infallible {
    let settings = provider.members.settings();
    let mut pauses = pauses::of_consumer(settings.ttl, &settings.env);
    loop {
        let services = provider.desired.services();
        if services.is_empty() {
            provider.desired.services_changed.notified().await;
            continue;
        }
        let watched = watch(provider, &services, &mut pauses).await;
        if let Err(failure) = watched {
            tracing::debug!(%failure, "the instances of this process are not watched for a moment");
            sleep(pauses.failed()).await;
        }
    }
}

/// Ends well when other services are to be watched.
async fn watch(
    provider: &Provider,
    services: &BTreeSet<String>,
    pauses: &mut Pauses,
) -> Result<(), Failure> {
    let member = provider.members.current().await?;
    let watched = async {
        let opening = open(member.client.watch_client(), services);
        let mut stream = provider.members.within(opening).await?;
        // Each watch tells that it has begun.
        for _ in services {
            next(provider, &mut stream).await?;
        }
        pauses.succeeded();
        // What was deleted before this watch began.
        audit::look(provider).await?;
        loop {
            tokio::select! {
                biased;
                () = provider.desired.services_changed.notified() => {
                    if provider.desired.services() != *services {
                        return Ok(());
                    }
                }
                response = stream.message() => note(provider, response?)?,
            }
        }
    };
    let watched = watched.await;
    if watched.as_ref().is_err_and(Failure::is_of_member) {
        provider.members.leave(&member);
    }
    watched
}

async fn open(
    mut client: etcd_client::WatchClient,
    services: &BTreeSet<String>,
) -> Result<WatchStream, etcd_client::Error> {
    let mut stream: Option<WatchStream> = None;
    for service in services {
        let options = WatchOptions::new().with_prefix().with_fragment();
        match &mut stream {
            None => stream = Some(client.watch(service.as_str(), Some(options)).await?),
            Some(stream) => stream.watch(service.as_str(), Some(options)).await?,
        }
    }
    stream.ok_or_else(|| etcd_client::Error::InvalidArgs("nothing to watch".to_owned()))
}

async fn next(provider: &Provider, stream: &mut WatchStream) -> Result<(), Failure> {
    let response = provider.members.within(stream.message()).await?;
    note(provider, response)
}

fn note(provider: &Provider, response: Option<WatchResponse>) -> Result<(), Failure> {
    let ended = || Failure::new(Reason::Member, "etcd ended the stream");
    let response = response.ok_or_else(ended)?;
    if response.canceled() {
        let text = format!("etcd ended the watch: {:?}", response.cancel_reason());
        return Err(Failure::new(Reason::Credentials, text));
    }
    for event in response.events() {
        let Some(kv) = event.kv() else { continue };
        let Ok(path) = std::str::from_utf8(kv.key()) else {
            continue;
        };
        let lease = (event.event_type() == EventType::Put).then(|| kv.lease());
        provider.desired.touched(path, lease, kv.mod_revision());
    }
    Ok(())
}
