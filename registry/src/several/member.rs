use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use doge_base::{Backoff, Env};
use tokio::sync::mpsc::UnboundedSender;

use super::opening::Opened;
use super::union::Union;
use crate::{Registry, RegistryError, ServiceKey, Watch, WatchClosed};

/// The first bound of the pauses, which doubles, and the last one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// One of the registries, as its part of a watch sees it.
#[derive(Debug)]
pub(super) struct Member {
    registry: Arc<dyn Registry>,
    index: usize,
    service: ServiceKey,
    union: Arc<Union>,
    env: Env,
}

impl Member {
    /// The part of `union` that the registry at `index` has of `service`.
    pub(super) fn new(
        registry: &Arc<dyn Registry>,
        index: usize,
        service: &ServiceKey,
        union: &Arc<Union>,
        env: &Env,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            index,
            service: service.clone(),
            union: Arc::clone(union),
            env: env.clone(),
        }
    }

    /// Keeps the part up to date until nobody watches the union; says in `opened` how the first try went.
    pub(super) async fn follow(self, opened: UnboundedSender<Opened>) {
        tokio::select! {
            biased;
            () = self.union.unwatched() => {}
            never = self.keep_up(opened) => match never {},
        }
    }

    async fn keep_up(&self, opened: UnboundedSender<Opened>) -> Infallible {
        let mut first = Some(opened);
        let mut failures = 0;
        // Those who lost the same registry at the same moment come back spread over the whole time.
        let backoff = Backoff::full_jitter(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            match self.registry.watch(self.service.clone()).await {
                Ok(mut watch) => {
                    self.union.set(self.index, watch.snapshot());
                    self.tell(first.take(), Ok(()));
                    let closed = self.until_closed(&mut watch, &mut failures).await;
                    self.warn(&closed, failures);
                }
                Err(error) => {
                    self.warn(&error, failures);
                    self.tell(first.take(), Err(error));
                }
            }
            failures = failures.saturating_add(1);
            tokio::time::sleep(backoff.pause(failures, &self.env)).await;
        }
    }

    /// Takes over what the watch has. The failures before it are past once it has lived longer than any pause: one
    /// that opens and closes again and again is one trouble.
    async fn until_closed(&self, watch: &mut Watch, failures: &mut u32) -> WatchClosed {
        let mut settled = pin!(tokio::time::sleep(LONGEST_PAUSE));
        let mut hints = self.union.hints();
        loop {
            tokio::select! {
                biased;
                changed = watch.changed() => match changed {
                    Ok(part) => self.union.set(self.index, part),
                    Err(closed) => return closed,
                },
                () = hints.next() => watch.refresh(),
                () = settled.as_mut(), if *failures > 0 => {
                    *failures = 0;
                    let (registry, service) = (self.index + 1, &self.service);
                    tracing::info!(registry, %service, "the registry can be watched again");
                }
            }
        }
    }

    /// Says once that the registry cannot be watched, and not at each further failure of the same trouble.
    fn warn(&self, error: &dyn Error, failures: u32) {
        if failures == 0 {
            let (registry, service) = (self.index + 1, &self.service);
            tracing::warn!(
                registry, %service, %error,
                "the registry cannot be watched; what it had last is kept until it can"
            );
        }
    }

    fn tell(&self, opened: Option<UnboundedSender<Opened>>, outcome: Result<(), RegistryError>) {
        if let Some(opened) = opened {
            // Nobody listens any more when another registry answered and this one took too long.
            let _ = opened.send(Opened {
                index: self.index,
                outcome,
            });
        }
    }
}
