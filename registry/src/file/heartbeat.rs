use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::presence::Presence;
use crate::failing::Failing;
use crate::work::blocking;
use crate::{Leave, RegistryError};

/// Renews a presence until it is dropped, and then withdraws it.
#[derive(Debug)]
pub(super) struct Heartbeat {
    presence: Arc<Presence>,
    task: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Announces the presence and goes on renewing it every `period`.
    pub(super) async fn start(presence: Presence, period: Duration) -> Result<Self, RegistryError> {
        let presence = Arc::new(presence);
        // Made first, so that it withdraws the entry if this future is dropped while it is written.
        let mut heartbeat = Self {
            presence: Arc::clone(&presence),
            task: None,
        };
        let announced = Arc::clone(&presence);
        blocking(move || announced.announce()).await??;
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.task = Some(tokio::spawn(beat(presence, ticks)));
        Ok(heartbeat)
    }
}

impl Leave for Heartbeat {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        Box::pin(async move {
            let presence = Arc::clone(&self.presence);
            blocking(move || presence.withdraw()).await?
        })
    }

    fn abandon(self: Box<Self>) {
        drop(self);
    }
}

impl Drop for Heartbeat {
    /// Removes the file in place: a drop may be the last thing a process does, and then nothing
    /// handed to another thread would still run.
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Err(error) = self.presence.withdraw() {
            tracing::warn!(%error, "an instance left without its entry being removed");
        }
    }
}

async fn beat(presence: Arc<Presence>, mut ticks: Interval) {
    let mut failing = Failing::default();
    loop {
        ticks.tick().await;
        let renewing = Arc::clone(&presence);
        // It fails only when the runtime is shutting down.
        let Ok(renewed) = blocking(move || renewing.renew()).await else {
            return;
        };
        report(&renewed, &mut failing, &presence);
    }
}

fn report(renewed: &Result<(), RegistryError>, failing: &mut Failing, presence: &Presence) {
    match renewed {
        Ok(()) => {
            if failing.ends() {
                tracing::info!(path = %presence.path().display(), "the entry is renewed again");
            }
        }
        Err(error) => {
            if failing.begins() {
                tracing::warn!(%error, "an entry was not renewed; it is tried again and again");
            }
        }
    }
}
