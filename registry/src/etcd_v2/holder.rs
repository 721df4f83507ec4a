use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::client::Client;
use super::failure::{Failure, Reason};
use super::settings::Settings;
use crate::failing::Failing;
use crate::remote::pauses;
use crate::remote::tries::Tries;

/// Keeps one key in etcd: sets it once and refreshes it for as long as it is wanted.
///
/// A key that is there is never set again, because clients of doge have one endpoint more for each `set`.
#[derive(Debug)]
pub(super) struct Holder {
    client: Arc<Client>,
    value: String,
    place: Place,
    /// Whether etcd may have set it already, on a request that it did not answer.
    asked: bool,
}

/// How it is told that the key is no longer wanted, and where it is to answer. Nobody waits when the sender is dropped.
pub(super) type Leaving = oneshot::Receiver<oneshot::Sender<Result<(), Failure>>>;

impl Holder {
    pub(super) fn new(client: Arc<Client>, value: String, place: Place) -> Self {
        Self {
            client,
            value,
            place,
            asked: false,
        }
    }

    /// Sets the key, says in `first` how that went, and keeps it until it is to leave.
    ///
    /// No request is dropped half-way, because one that etcd has yet to hear would undo the next.
    pub(super) async fn hold(
        mut self,
        first: oneshot::Sender<Result<(), Failure>>,
        mut leaving: Leaving,
    ) {
        if let Err(failure) = self.begin().await {
            // Nobody listens any more when it was given up in the meantime.
            let _ = first.send(Err(failure));
            if self.asked {
                let _ = self.withdraw().await;
            }
            return;
        }
        let _ = first.send(Ok(()));
        let answer = self.renew_until(&mut leaving).await;
        let withdrawn = self.withdraw().await;
        match answer {
            Some(answer) => {
                let _ = answer.send(withdrawn);
            }
            None => {
                if let Err(failure) = withdrawn {
                    let key = &self.place.key;
                    tracing::debug!(key, %failure, "the key is not deleted, and expires");
                }
            }
        }
    }

    async fn begin(&mut self) -> Result<(), Failure> {
        let settings = Arc::clone(self.client.settings());
        let mut tries = Tries::new(
            settings.endpoints.len(),
            settings.request_timeout,
            &settings.env,
        );
        loop {
            let started = Instant::now();
            let Err(failure) = self.set().await else {
                return Ok(());
            };
            let Some(pause) = tries.after(failure.outlook(), started.elapsed()) else {
                return Err(failure);
            };
            sleep(pause).await;
        }
    }

    /// Until it is to leave: then the sender to answer with, if anyone waits.
    async fn renew_until(
        &mut self,
        leaving: &mut Leaving,
    ) -> Option<oneshot::Sender<Result<(), Failure>>> {
        let settings = Arc::clone(self.client.settings());
        let mut pauses = pauses::of_provider(settings.ttl, &settings.env);
        let mut failing = Failing::default();
        let mut pause = interval(&settings);
        loop {
            tokio::select! {
                biased;
                left = &mut *leaving => return left.ok(),
                () = sleep(pause) => {}
            }
            match self.renew().await {
                Ok(()) => {
                    if failing.ends() {
                        tracing::info!(key = self.place.key, "the instance is kept in etcd again");
                    }
                    pauses.succeeded();
                    pause = interval(&settings);
                }
                Err(failure) => {
                    if failing.begins() {
                        tracing::warn!(key = self.place.key, %failure, "the instance cannot be kept in etcd; it is tried again and again");
                    }
                    pause = pauses.failed();
                }
            }
        }
    }

    async fn renew(&mut self) -> Result<(), Failure> {
        match self.client.refresh(&self.place.key).await {
            Ok(value) if value == self.value => Ok(()),
            Ok(_) => Err(self.taken()),
            Err(failure) if failure.reason == Reason::Missing => {
                tracing::warn!(
                    key = self.place.key,
                    "the instance is gone from etcd, and is set anew"
                );
                self.set().await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Sets the key unless it is there.
    async fn set(&mut self) -> Result<(), Failure> {
        match self.client.value(&self.place.key).await? {
            None => {
                self.asked = true;
                self.client.set(&self.place.key, &self.value).await
            }
            Some(value) if self.asked && value == self.value => Ok(()),
            Some(_) => Err(self.taken()),
        }
    }

    /// Deletes the key, unless it is somebody else's by now.
    ///
    /// Not by comparing and deleting in one step: clients of doge pass over what that does.
    async fn withdraw(&self) -> Result<(), Failure> {
        let key = &self.place.key;
        let delete = || async {
            match self.client.value(key).await? {
                Some(value) if value == self.value => self.client.delete(key).await,
                _ => Ok(()),
            }
        };
        self.client.tried(delete).await
    }

    fn taken(&self) -> Failure {
        Failure::new(
            Reason::Taken,
            format!("the key {} is there with another value", self.place.key),
        )
    }
}

/// Every half of the time to live or so, so that there is time for a second try.
fn interval(settings: &Settings) -> Duration {
    settings.ttl.mul_f64(0.4 + 0.1 * settings.env.fraction())
}

/// The keys that this process holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl Places {
    /// Takes `key`, unless it is taken.
    pub(super) fn take(&self, key: String) -> Option<Place> {
        self.with(|taken| taken.insert(key.clone())).then(|| Place {
            key,
            places: self.clone(),
        })
    }

    /// A poisoned lock is taken over: each change to the set is a single step.
    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        work(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A key that is held, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    key: String,
    places: Places,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.with(|taken| taken.remove(&self.key));
    }
}
