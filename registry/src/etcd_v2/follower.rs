use std::pin::pin;
use std::sync::Arc;

use doge_base::Pauses;
use tokio::time::{Instant, sleep};

use super::client::Client;
use super::failure::{Failure, Reason};
use super::listing::{Effect, Listing};
use crate::failing::Failing;
use crate::remote::following::Following;
use crate::remote::pauses;
use crate::remote::telling::{Telling, at};
use crate::{Publisher, RegistryError, ServiceKey};

/// Follows the instances of one service in etcd, as long as anyone watches, whatever happens to etcd.
#[derive(Debug)]
pub(super) struct Follower {
    client: Arc<Client>,
    listing: Listing,
    telling: Telling,
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

    /// Watches from what is known until everything is to be listed again, and lists it.
    async fn session(&mut self) {
        loop {
            let watched = self.watch().await;
            if let Err(failure) = watched {
                self.complain(&failure);
                self.tell();
                sleep(self.pauses.failed()).await;
            }
            while let Err(failure) = self.list().await {
                self.complain(&failure);
                sleep(self.pauses.failed()).await;
            }
            // It may never be watched, so that this is the only second look there is.
            if self
                .telling
                .confirm_at()
                .is_some_and(|at| at <= Instant::now())
            {
                self.telling.confirm(self.listing.snapshot());
            } else {
                self.tell();
            }
        }
    }
}

impl Follower {
    /// Lists the service once, because a watch has a snapshot from the start.
    pub(super) async fn start(client: Arc<Client>, key: ServiceKey) -> Result<Self, RegistryError> {
        let settings = client.settings();
        let directory = settings.layout.service(&key);
        let listed = client.tried(|| client.list(&directory)).await;
        let listed = listed
            .map_err(|failure| failure.report("list the instances of the service", settings))?;
        let mut follower = Self {
            telling: Telling::new(key.clone(), settings.hold_back),
            listing: Listing::new(key, directory, settings.meta),
            pauses: pauses::of_consumer(settings.ttl, &settings.env),
            failing: Failing::default(),
            client,
        };
        follower.listing.replace(listed);
        follower.tell();
        Ok(follower)
    }

    /// One event after the other. Ends well when everything is to be listed again, as it is after a while without any:
    /// an etcd that is gone would be silent as well.
    async fn watch(&mut self) -> Result<(), Failure> {
        let client = Arc::clone(&self.client);
        let limit = client.settings().silence_limit;
        let directory = self.listing.directory().to_owned();
        loop {
            let next = self.listing.next();
            let waiting = client.wait(&directory, next).await?;
            self.pauses.succeeded();
            if self.failing.ends() {
                tracing::info!(service = %self.listing.key(), "etcd is watched again");
            }
            let mut event = pin!(client.event(waiting, limit));
            let event = loop {
                tokio::select! {
                    biased;
                    () = at(self.telling.due()) => self.tell(),
                    () = at(self.telling.confirm_at()) => self.confirm().await?,
                    event = &mut event => break event?,
                }
            };
            let Some(event) = event else { return Ok(()) };
            if event.node.index < next {
                // Again and again, if what is between here and etcd has it from memory.
                let text = format!("it tells of index {}, asked for {next}", event.node.index);
                return Err(Failure::new(Reason::History, text));
            }
            match self.listing.apply(event) {
                Effect::Nothing => {}
                Effect::Changed => self.telling.soon(Instant::now()),
                Effect::Unclear => return Ok(()),
            }
        }
    }

    /// Takes what etcd holds now for all there is.
    async fn list(&mut self) -> Result<(), Failure> {
        let listed = self.client.list(self.listing.directory()).await?;
        self.listing.replace(listed);
        Ok(())
    }

    /// Lists a second time what was in doubt. The events that etcd has yet to tell repeat what this has already seen.
    async fn confirm(&mut self) -> Result<(), Failure> {
        match self.list().await {
            Ok(()) => {
                self.telling.confirm(self.listing.snapshot());
                Ok(())
            }
            Err(failure) => {
                self.telling.postpone(Instant::now());
                Err(failure)
            }
        }
    }

    fn tell(&mut self) {
        self.telling.tell(self.listing.snapshot(), Instant::now());
    }

    fn complain(&mut self, failure: &Failure) {
        let service = self.listing.key();
        // That history is short is in the nature of etcd, and nothing that anyone has to see to.
        if failure.reason != Reason::History && self.failing.begins() {
            tracing::warn!(%service, %failure, "etcd cannot be watched; the last snapshot stays, and it is tried again and again");
        } else {
            tracing::debug!(%service, %failure, "etcd cannot be watched");
        }
    }
}
