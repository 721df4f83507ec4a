use std::sync::Arc;

use doge_base::Pauses;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::listing::Listing;
use super::reading::Reading;
use super::stored::Stored;
use super::stream::{Stream, apply};
use crate::etcd::failure::{Failure, Reason};
use crate::etcd::members::{Member, Members};
use crate::etcd::settings::Settings;
use crate::failing::Failing;
use crate::remote::following::Following;
use crate::remote::pauses;
use crate::remote::telling::{Telling, at};
use crate::{Publisher, RegistryError, ServiceKey, Snapshot};

/// Follows the instances of one service in etcd, as long as anyone watches, whatever happens to etcd.
#[derive(Debug)]
pub(in crate::etcd) struct Follower {
    members: Arc<Members>,
    listing: Listing,
    /// The revision to watch from; none when everything has to be read first.
    next: Option<i64>,
    telling: Telling,
    stored: Option<Stored>,
    pauses: Pauses,
    failing: Failing,
}

impl Following for Follower {
    fn key(&self) -> &ServiceKey {
        self.listing.key()
    }

    fn publisher(&self) -> &Arc<Publisher> {
        self.telling.publisher()
    }

    /// One stream, from its beginning to its end, and the pause after a failure.
    async fn session(&mut self) {
        let Err(failure) = self.attempt().await else {
            return;
        };
        if matches!(failure.reason, Reason::History | Reason::Size) {
            self.next = None;
        }
        let service = self.listing.key();
        if self.failing.begins() {
            tracing::warn!(%service, %failure, "etcd cannot be watched; the last snapshot stays, and it is tried again and again");
        } else {
            tracing::debug!(%service, %failure, "etcd cannot be watched");
        }
        self.publish(Instant::now()).await;
        sleep(self.pauses.failed()).await;
    }
}

impl Follower {
    /// Reads the service once, because a watch has a snapshot from the start; without etcd, from disk.
    pub(in crate::etcd) async fn start(
        members: Arc<Members>,
        key: ServiceKey,
    ) -> Result<Self, RegistryError> {
        let settings = Arc::clone(members.settings());
        let listing = Listing::new(key.clone(), settings.layout.service(&key));
        let stored = settings.snapshots.as_deref();
        let stored = stored.map(|root| Stored::new(root, &key, &settings.env));
        let mut follower = Self {
            members,
            telling: Telling::new(key, settings.hold_back),
            listing,
            next: None,
            stored,
            pauses: pauses::of_consumer(settings.ttl, &settings.env),
            failing: Failing::default(),
        };
        match follower.first_read(&settings).await {
            Ok(()) => follower.publish(Instant::now()).await,
            Err(failure) => follower.restore(&failure, &settings).await?,
        }
        Ok(follower)
    }

    /// Ends well when everything is to be read again.
    async fn attempt(&mut self) -> Result<(), Failure> {
        let next = match self.next {
            Some(next) => next,
            None => {
                self.read().await?;
                self.publish(Instant::now()).await;
                self.next.unwrap_or_default()
            }
        };
        let member = self.members.current().await?;
        let watched = self.watch(&member, next).await;
        if watched.as_ref().is_err_and(Failure::is_of_member) {
            self.members.leave(&member);
        }
        watched
    }

    async fn watch(&mut self, member: &Member, next: i64) -> Result<(), Failure> {
        let members = Arc::clone(&self.members);
        let settings = members.settings();
        let mut stream = Stream::open(&members, member, self.listing.prefix(), next).await?;
        self.pauses.succeeded();
        if self.failing.ends() {
            tracing::info!(service = %self.listing.key(), "etcd is watched again");
        }
        let resync_at = Instant::now() + settings.env.jittered(settings.resync_interval, 0.2);
        let mut silent_at = Instant::now() + settings.silence_limit;
        let mut probed = false;
        loop {
            tokio::select! {
                biased;
                () = at(self.telling.due()) => self.publish(Instant::now()).await,
                () = at(self.telling.confirm_at()) => self.confirm().await?,
                () = sleep_until(resync_at) => {
                    self.next = None;
                    return Ok(());
                }
                response = stream.next() => {
                    let response = response?;
                    if apply(&response, &mut self.listing) {
                        self.telling.soon(Instant::now());
                    }
                    self.next = stream.resume_at(&response).or(self.next);
                    silent_at = Instant::now() + settings.silence_limit;
                    probed = false;
                }
                () = sleep_until(silent_at) => {
                    if probed {
                        return Err(Failure::new(Reason::Member, "etcd is silent"));
                    }
                    stream.probe().await?;
                    silent_at = Instant::now() + settings.request_timeout;
                    probed = true;
                }
            }
        }
    }

    /// Takes what etcd holds now for all there is.
    async fn read(&mut self) -> Result<(), Failure> {
        let reading = Reading::take(&self.members, self.listing.prefix()).await?;
        self.listing.replace(reading.pairs, reading.revision);
        self.next = Some(reading.revision + 1);
        Ok(())
    }

    /// The first reading. Who can start with what is on disk waits no longer for it than for one request.
    async fn first_read(&mut self, settings: &Settings) -> Result<(), Failure> {
        if self.stored.is_none() {
            return self.read().await;
        }
        let limit = settings.request_timeout;
        let late = |_| Failure::new(Reason::Member, format!("not read within {limit:?}"));
        timeout(limit, self.read()).await.map_err(late)?
    }

    /// Reads a second time what was in doubt. The stream meanwhile repeats what the reading has already seen.
    async fn confirm(&mut self) -> Result<(), Failure> {
        match Reading::take(&self.members, self.listing.prefix()).await {
            Ok(reading) => {
                self.listing.replace(reading.pairs, reading.revision);
                let confirmed = self.telling.confirm(self.listing.snapshot());
                self.keep(confirmed).await;
                Ok(())
            }
            Err(failure) => {
                self.telling.postpone(Instant::now());
                Err(failure)
            }
        }
    }

    /// Starts with what was known in an earlier life of the process.
    async fn restore(
        &mut self,
        failure: &Failure,
        settings: &Settings,
    ) -> Result<(), RegistryError> {
        let restored = match &self.stored {
            Some(stored) => stored.load().await,
            None => None,
        };
        let Some(restored) = restored else {
            return Err(failure.report("read the instances of the service", settings));
        };
        self.failing.begins();
        tracing::warn!(service = %self.listing.key(), %failure, instances = restored.len(), "etcd cannot be read; the snapshot on disk serves until it can");
        self.telling.begin_with(restored, settings.hold_back);
        Ok(())
    }

    async fn publish(&mut self, now: Instant) {
        if self.next.is_none() {
            // Nothing was read yet, or it has to be read anew: what was told stays.
            self.telling.put_off();
            return;
        }
        let told = self.telling.tell(self.listing.snapshot(), now);
        self.keep(told).await;
    }

    /// Keeps what was told, if it was anything new, for the next start.
    async fn keep(&self, told: Option<Snapshot>) {
        let (Some(snapshot), Some(stored)) = (told, &self.stored) else {
            return;
        };
        if let Err(error) = stored.save(&snapshot).await {
            let path = stored.path().display();
            tracing::warn!(%path, %error, "the snapshot for the next start cannot be written");
        }
    }
}
