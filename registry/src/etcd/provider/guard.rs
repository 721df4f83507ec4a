use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::convert::Infallible;

use doge_base::Pauses;
use etcd_client::{GetOptions, WatchOptions, WatchResponse, WatchStream};
use tokio::time::{Instant, sleep};

use super::{Provider, audit};
use crate::etcd::failure::{Failure, Reason};
use crate::etcd::is_deletion;
use crate::remote::pauses;
use crate::remote::telling::at;

/// Watches the services that have instances here, so that one that somebody else deletes is back at once.
pub(super) async fn guard(provider: &Provider) -> Infallible {
    let mut pauses = pauses_of(provider);
    loop {
        let services = provider.desired.services();
        let Some(first) = services.first() else {
            provider.desired.services_changed.notified().await;
            continue;
        };
        let Err(failure) = watch(provider, first, &mut pauses).await else {
            continue;
        };
        tracing::debug!(%failure, "the instances of this process are not watched for a moment");
        // As long as no event tells what is deleted, it has to be looked for.
        if let Err(failure) = audit::look(provider).await {
            tracing::debug!(%failure, "the keys of this process cannot be read for a moment");
        }
        sleep(pauses.failed()).await;
    }
}

fn pauses_of(provider: &Provider) -> Pauses {
    let settings = provider.members.settings();
    pauses::of_consumer(settings.ttl, &settings.env)
}

/// One stream for all services, beginning with one of them. Ends well when there is none any more.
async fn watch(provider: &Provider, first: &str, pauses: &mut Pauses) -> Result<(), Failure> {
    let member = provider.members.current().await?;
    let watched = async {
        let mut client = member.client.watch_client();
        let opening = client.watch(first, Some(options()));
        let stream = provider.members.within(opening).await?;
        let guarded = Guarded::new(provider, stream, first);
        guarded.run(pauses).await
    };
    let watched = watched.await;
    if watched.as_ref().is_err_and(Failure::is_of_member) {
        provider.members.leave(&member);
    }
    watched
}

fn options() -> WatchOptions {
    WatchOptions::new().with_prefix().with_fragment()
}

/// The watches of one stream, one for each service.
struct Guarded<'a> {
    provider: &'a Provider,
    stream: WatchStream,
    /// Asked for, in this order, which is that of the answers.
    opening: VecDeque<String>,
    opened_by: Option<Instant>,
    watched: BTreeMap<i64, String>,
    /// Those that may not be watched, and when that is tried again.
    denied: BTreeMap<String, Denied>,
}

struct Denied {
    pauses: Pauses,
    at: Instant,
}

impl<'a> Guarded<'a> {
    /// A stream that was opened with a watch of this service.
    fn new(provider: &'a Provider, stream: WatchStream, first: &str) -> Self {
        let mut guarded = Self {
            provider,
            stream,
            opening: VecDeque::new(),
            opened_by: None,
            watched: BTreeMap::new(),
            denied: BTreeMap::new(),
        };
        guarded.expect(first.to_owned());
        guarded
    }

    async fn run(mut self, pauses: &mut Pauses) -> Result<(), Failure> {
        self.follow().await?;
        loop {
            tokio::select! {
                biased;
                () = self.provider.desired.services_changed.notified() => {
                    if !self.follow().await? {
                        return Ok(());
                    }
                }
                () = at(self.opened_by) => {
                    return Err(Failure::new(Reason::Member, "no watch within the request timeout"));
                }
                () = at(self.next_try()) => self.try_again().await?,
                response = self.stream.message() => {
                    let ended = || Failure::new(Reason::Member, "etcd ended the stream");
                    self.take(&response?.ok_or_else(ended)?).await?;
                    if self.opened_by.is_some() && self.opening.is_empty() {
                        self.opened_by = None;
                        pauses.succeeded();
                        self.look().await?;
                    }
                }
            }
        }
    }

    /// Begins and ends watches as services come and go; false if there are none.
    async fn follow(&mut self) -> Result<bool, Failure> {
        let wanted = self.provider.desired.services();
        self.denied.retain(|service, _| wanted.contains(service));
        let over = self
            .watched
            .extract_if(.., |_, service| !wanted.contains(service));
        for (id, _) in over.collect::<Vec<_>>() {
            self.stream.cancel(id).await?;
        }
        let known: BTreeSet<&String> = (self.watched.values())
            .chain(&self.opening)
            .chain(self.denied.keys())
            .collect();
        let new = wanted.iter().filter(|service| !known.contains(service));
        for service in new.cloned().collect::<Vec<_>>() {
            self.open(service).await?;
        }
        Ok(!wanted.is_empty())
    }

    async fn open(&mut self, service: String) -> Result<(), Failure> {
        self.stream.watch(service.as_str(), Some(options())).await?;
        self.expect(service);
        Ok(())
    }

    fn expect(&mut self, service: String) {
        self.opening.push_back(service);
        self.opened_by = Some(self.limit());
    }

    /// When what is asked for now has to be answered.
    fn limit(&self) -> Instant {
        Instant::now() + self.provider.members.settings().request_timeout
    }

    async fn take(&mut self, response: &WatchResponse) -> Result<(), Failure> {
        let id = response.watch_id();
        let service = if response.created() {
            // Each of the others has as long again.
            self.opened_by = self.opened_by.map(|_| self.limit());
            self.opening.pop_front()
        } else if response.canceled() {
            self.watched.remove(&id)
        } else {
            self.note(response);
            return Ok(());
        };
        // Without one, it is a watch that was ended because nobody wants it.
        let Some(service) = service else {
            return Ok(());
        };
        if !response.canceled() {
            self.denied.remove(&service);
            self.watched.insert(id, service);
            return Ok(());
        }
        let failure = Failure::of_watch(response.cancel_reason());
        if failure.reason != Reason::Denied {
            return Err(failure);
        }
        self.deny(service, &failure).await
    }

    /// Leaves out one service that may not be watched, and lets the others stand.
    async fn deny(&mut self, service: String, failure: &Failure) -> Result<(), Failure> {
        tracing::debug!(service, %failure, "the instances of a service are not watched");
        let mut pauses = match self.denied.remove(&service) {
            Some(denied) => denied.pauses,
            None => pauses_of(self.provider),
        };
        let at = Instant::now() + pauses.failed();
        self.denied.insert(service.clone(), Denied { pauses, at });
        // Old versions of etcd say the same of a token that is no longer valid. A stream keeps the token that it was opened
        // with; a request has it replaced.
        let options = GetOptions::new()
            .with_prefix()
            .with_limit(1)
            .with_keys_only();
        let read = self.provider.members.call(|client| {
            let (service, options) = (service.clone(), options.clone());
            async move { client.kv_client().get(service, Some(options)).await }
        });
        match read.await {
            Err(failure) if failure.reason == Reason::Denied => Ok(()),
            Err(failure) => Err(failure),
            Ok(_) => Err(failure.clone()),
        }
    }

    /// The denied services and when each is tried again. Those that are asked for have no next try until there is an answer.
    fn tries(&self) -> impl Iterator<Item = (&String, Instant)> {
        let denied = self
            .denied
            .iter()
            .map(|(service, denied)| (service, denied.at));
        denied.filter(|(service, _)| !self.opening.contains(service))
    }

    fn next_try(&self) -> Option<Instant> {
        self.tries().map(|(_, at)| at).min()
    }

    async fn try_again(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let due = self.tries().filter(|(_, at)| *at <= now);
        for service in due.map(|(service, _)| service.clone()).collect::<Vec<_>>() {
            self.open(service).await?;
        }
        Ok(())
    }

    /// Looks for what was deleted before a watch began.
    async fn look(&self) -> Result<(), Failure> {
        match audit::look(self.provider).await {
            Err(failure) if failure.is_of_member() => Err(failure),
            _ => Ok(()),
        }
    }

    fn note(&self, response: &WatchResponse) {
        for event in response.events() {
            let Some(kv) = event.kv() else { continue };
            let Ok(path) = std::str::from_utf8(kv.key()) else {
                continue;
            };
            let lease = (!is_deletion(kv)).then(|| kv.lease());
            self.provider
                .desired
                .touched(path, lease, kv.mod_revision());
        }
    }
}
