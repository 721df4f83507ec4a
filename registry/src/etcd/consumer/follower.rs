use std::sync::Arc;
use std::time::Duration;

use doge_base::Pauses;
use tokio::time::{Instant, sleep_until, timeout};

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

/// How long a stream has to stand before the failures until then are forgotten: longer than any pause, so that one that
/// breaks again and again is one trouble, and has etcd read seldom.
const SETTLED: Duration = Duration::from_secs(15);

/// Follows the instances of one service in etcd, as long as anyone watches, whatever happens to etcd.
#[derive(Debug)]
pub(in crate::etcd) struct Follower {
    members: Arc<Members>,
    listing: Listing,
    /// The revision of a reading that no stream has gone on from yet. Without one, everything is read first.
    fresh: Option<i64>,
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
        let service = self.listing.key();
        if self.failing.begins() {
            tracing::warn!(%service, %failure, "etcd cannot be watched; the last snapshot stays, and it is tried again and again");
        } else {
            tracing::debug!(%service, %failure, "etcd cannot be watched");
        }
        self.publish(Instant::now()).await;
        // It may never be watched, so that reading it again is the only second look there is.
        let next = Instant::now() + self.pauses.failed();
        let confirm_at = self.telling.confirm_at().unwrap_or(next);
        sleep_until(next.min(confirm_at)).await;
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
            fresh: None,
            stored,
            pauses: pauses::of_consumer(settings.ttl, &settings.env),
            failing: Failing::default(),
        };
        match follower.first_read(&settings).await {
            Ok(revision) => {
                follower.fresh = Some(revision);
                follower.publish(Instant::now()).await;
            }
            Err(failure) => follower.restore(&failure, &settings).await?,
        }
        Ok(follower)
    }

    /// Reads everything and watches from there. Ends well when it is time to do so again.
    ///
    /// A stream never goes on where another one ended: etcd may have been given other data in the meantime, such as those
    /// of a backup, and nothing in its events would tell.
    async fn attempt(&mut self) -> Result<(), Failure> {
        let revision = match self.fresh.take() {
            Some(revision) => revision,
            None => self.read_anew().await?,
        };
        let member = self.members.current().await?;
        let watched = self.watch(&member, revision + 1).await;
        if watched.as_ref().is_err_and(Failure::is_of_member) {
            self.members.leave(&member);
        }
        watched
    }

    async fn watch(&mut self, member: &Member, next: i64) -> Result<(), Failure> {
        let members = Arc::clone(&self.members);
        let settings = members.settings();
        let mut stream = Stream::open(&members, member, self.listing.prefix(), next).await?;
        let settled_at = Instant::now() + SETTLED;
        let mut settled = false;
        let resync_at = Instant::now() + settings.env.jittered(settings.resync_interval, 0.2);
        let mut silent_at = Instant::now() + settings.silence_limit;
        let mut probed = false;
        loop {
            tokio::select! {
                biased;
                () = at(self.telling.due()) => self.publish(Instant::now()).await,
                () = at(self.telling.confirm_at()) => {
                    self.confirm().await?;
                }
                () = sleep_until(resync_at) => {
                    self.settle();
                    return Ok(());
                }
                () = sleep_until(settled_at), if !settled => {
                    settled = true;
                    self.settle();
                }
                response = stream.next() => {
                    let response = response?;
                    if apply(&response, &mut self.listing) {
                        self.telling.soon(Instant::now());
                    }
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

    /// The stream stands, and the failures before it are over.
    fn settle(&mut self) {
        self.pauses.succeeded();
        if self.failing.ends() {
            tracing::info!(service = %self.listing.key(), "etcd is watched again");
        }
    }

    /// Takes what etcd holds now for all there is, as of the revision that it gives back.
    async fn read(&mut self) -> Result<i64, Failure> {
        let reading = Reading::take(&self.members, self.listing.prefix()).await?;
        self.listing.replace(reading.pairs, reading.revision);
        Ok(reading.revision)
    }

    /// Reads everything and tells of it; when it is time for a second look at what was in doubt, this is it.
    async fn read_anew(&mut self) -> Result<i64, Failure> {
        let confirm_at = self.telling.confirm_at();
        if confirm_at.is_some_and(|at| at <= Instant::now()) {
            return self.confirm().await;
        }
        let revision = self.read().await?;
        self.publish(Instant::now()).await;
        Ok(revision)
    }

    /// The first reading. Who can start with what is on disk waits no longer for it than for one request.
    async fn first_read(&mut self, settings: &Settings) -> Result<i64, Failure> {
        if self.stored.is_none() {
            return self.read().await;
        }
        let limit = settings.request_timeout;
        let late = |_| Failure::new(Reason::Member, format!("not read within {limit:?}"));
        timeout(limit, self.read()).await.map_err(late)?
    }

    /// Reads a second time what was in doubt. The stream meanwhile repeats what the reading has already seen.
    async fn confirm(&mut self) -> Result<i64, Failure> {
        match self.read().await {
            Ok(revision) => {
                let confirmed = self.telling.confirm(self.listing.snapshot());
                self.keep(confirmed).await;
                Ok(revision)
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
        if !self.listing.is_read() {
            // What was on disk stays.
            return;
        }
        self.telling.farewell(&self.listing.take_leaving());
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
