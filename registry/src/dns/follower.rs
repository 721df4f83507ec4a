use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::complaints::Complaints;
use super::failure::Failure;
use super::list::{Found, MOST_INSTANCES};
use super::look::Looker;
use super::schedule::Schedule;
use super::settings::Settings;
use crate::publisher::Hints;
use crate::remote::following::Following;
use crate::{Publisher, RegistryError, ServiceKey, Snapshot};

/// Looks up the name of one service again and again, as long as anyone watches.
#[derive(Debug)]
pub(super) struct Follower {
    settings: Arc<Settings>,
    key: ServiceKey,
    looker: Looker,
    schedule: Schedule,
    publisher: Arc<Publisher>,
    hints: Hints,
    /// When the list was last found as a whole.
    found_at: Option<Instant>,
    failing: Complaints,
    partial: Complaints,
    bounded: Complaints,
}

impl Following for Follower {
    fn key(&self) -> &ServiceKey {
        &self.key
    }

    fn publisher(&self) -> &Arc<Publisher> {
        &self.publisher
    }

    /// Looks whenever a look is due.
    async fn session(&mut self) {
        loop {
            let hinted_due = self.schedule.due_after_hint();
            let hints = &mut self.hints;
            tokio::select! {
                () = sleep_until(self.schedule.due()) => {}
                () = async {
                    hints.next().await;
                    sleep_until(hinted_due).await;
                } => {}
            }
            if let Err(failure) = self.look().await {
                self.complain(&failure);
            }
        }
    }
}

impl Follower {
    /// Looks once, because a watch has a snapshot from the start.
    pub(super) async fn start(
        settings: Arc<Settings>,
        key: ServiceKey,
    ) -> Result<Self, RegistryError> {
        let publisher = Arc::new(Publisher::new(Snapshot::default()));
        let mut follower = Self {
            looker: Looker::new(settings.template.name(&key)?),
            schedule: Schedule::new(&settings),
            hints: publisher.hints(),
            found_at: None,
            failing: Complaints::default(),
            partial: Complaints::default(),
            bounded: Complaints::default(),
            publisher,
            settings,
            key,
        };
        match follower.look().await {
            Ok(()) => {}
            Err(failure @ Failure::Failed(_)) => {
                return Err(failure.report(follower.looker.servers()));
            }
            Err(failure) => follower.complain(&failure),
        }
        Ok(follower)
    }

    /// Publishes what there is now. On a failure the list stays.
    async fn look(&mut self) -> Result<(), Failure> {
        self.schedule.begins();
        match self.looker.look(&self.settings).await {
            Ok(found) => {
                self.schedule.answered(found.ttl);
                self.found(&found);
                Ok(())
            }
            Err(failure) => {
                self.schedule.failed();
                Err(failure)
            }
        }
    }

    fn found(&mut self, found: &Found) {
        let now = self.settings.env.now();
        self.found_at = Some(now);
        self.publisher
            .publish(found.snapshot(&self.key, &self.settings));
        let (service, name) = (&self.key, self.looker.name());
        if self.failing.ends() {
            tracing::info!(%service, %name, instances = found.len(), "the name has instances again");
        }
        match &found.trouble {
            Some(error) if self.partial.is_due(now) => {
                let servers = self.looker.servers();
                tracing::warn!(
                    %service, %name, %servers, %error,
                    "a part of the instances cannot be looked up; that part stays as it was last known"
                );
            }
            Some(_) => {}
            None => {
                self.partial.ends();
            }
        }
        if found.len() <= MOST_INSTANCES {
            self.bounded.ends();
        } else if self.bounded.is_due(now) {
            tracing::warn!(
                %service, %name, most = MOST_INSTANCES,
                "the name has more instances than a list takes; the rest is left out: split the service up by names, or use \
                 a registry that is made for so many"
            );
        }
    }

    fn complain(&mut self, failure: &Failure) {
        let now = self.settings.env.now();
        let (service, name) = (&self.key, self.looker.name());
        if !self.failing.is_due(now) {
            tracing::debug!(%service, %name, %failure, "the name cannot be looked up");
            return;
        }
        let servers = self.looker.servers();
        let (instances, mend) = (self.publisher.snapshot().len(), failure.mend());
        match self.found_at.map(|at| now - at) {
            Some(age) => tracing::warn!(
                %service, %name, %servers, %failure, instances, ?age,
                "the name cannot be looked up; the last list stays: {mend}"
            ),
            None => tracing::warn!(
                %service, %name, %servers, %failure,
                "the name has no instances yet: {mend}"
            ),
        }
    }
}
