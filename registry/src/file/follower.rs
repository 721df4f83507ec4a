use std::sync::Arc;
use std::time::Duration;

use doge_base::Env;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::scanner::Scanner;
use super::sighting::Moment;
use crate::failing::Failing;
use crate::sources::Sources;
use crate::work::blocking;
use crate::{Publisher, RegistryError, ServiceKey};

/// Scans the folder of one service and publishes what it finds, as long as anyone watches.
#[derive(Debug)]
pub(super) struct Follower {
    scanner: Scanner,
    env: Env,
    publisher: Arc<Publisher>,
    failing: Failing,
}

impl Follower {
    /// Scans once, because a watch has a snapshot from the start.
    pub(super) async fn start(scanner: Scanner, env: Env) -> Result<Self, RegistryError> {
        blocking(move || Self::first_scan(scanner, env)).await?
    }

    pub(super) fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Sets it to work, with a scan every `period`.
    pub(super) fn spawn(self, sources: &Arc<Sources>, key: &ServiceKey, period: Duration) {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::spawn(self.follow(Arc::clone(sources), key.clone(), ticks));
    }

    /// Scans at every tick until nobody watches `key` any more.
    pub(super) async fn follow(
        mut self,
        sources: Arc<Sources>,
        key: ServiceKey,
        mut ticks: Interval,
    ) {
        loop {
            tokio::select! {
                biased;
                () = self.publisher.unwatched() => {
                    if sources.ends(&key, &self.publisher) {
                        return;
                    }
                }
                _ = ticks.tick() => {
                    let scanned = blocking(move || { self.scan(Moment::now(&self.env)); self }).await;
                    // It fails only when the runtime is shutting down.
                    let Ok(follower) = scanned else { return };
                    self = follower;
                }
            }
        }
    }

    pub(super) fn first_scan(mut scanner: Scanner, env: Env) -> Result<Self, RegistryError> {
        let first = scanner
            .scan(Moment::now(&env))
            .map_err(|error| RegistryError::Io {
                doing: "read the folder",
                path: scanner.folder().to_owned(),
                cause: error,
                mend: "choose a registry folder that this process may read",
            })?;
        Ok(Self {
            scanner,
            env,
            publisher: Arc::new(Publisher::new(first)),
            failing: Failing::default(),
        })
    }

    /// Publishes what there is now; when the folder cannot be read the last snapshot stays.
    pub(super) fn scan(&mut self, now: Moment) {
        let scanned = self.scanner.scan(now);
        let folder = self.scanner.folder().display();
        match scanned {
            Ok(snapshot) => {
                self.publisher.publish(snapshot);
                if self.failing.ends() {
                    tracing::info!(%folder, "the registry can be read again");
                }
            }
            Err(error) => {
                if self.failing.begins() {
                    tracing::warn!(%folder, %error, "the registry cannot be read; its last snapshot stays");
                }
            }
        }
    }
}
