use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::backoff;
use super::opening::Opened;
use super::union::Union;
use crate::{Registry, RegistryError, ServiceKey, Watch};

/// One of the registries, as its part of a watch sees it.
#[derive(Debug)]
pub(super) struct Member {
    registry: Arc<dyn Registry>,
    index: usize,
    service: ServiceKey,
    union: Arc<Union>,
}

impl Member {
    /// The part of `union` that the registry at `index` has of `service`.
    pub(super) fn new(
        registry: &Arc<dyn Registry>,
        index: usize,
        service: &ServiceKey,
        union: &Arc<Union>,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            index,
            service: service.clone(),
            union: Arc::clone(union),
        }
    }

    /// Keeps the part up to date until nobody watches the union; says in `opened` how the first try went.
    pub(super) async fn follow(self, opened: UnboundedSender<Opened>) {
        tokio::select! {
            () = self.union.unwatched() => {}
            never = self.keep_up(opened) => match never {},
        }
    }

    async fn keep_up(&self, opened: UnboundedSender<Opened>) -> Infallible {
        let mut first = Some(opened);
        let mut failures = 0;
        loop {
            match self.registry.watch(self.service.clone()).await {
                Ok(mut watch) => {
                    self.begin(&watch, failures);
                    failures = 0;
                    self.tell(first.take(), Ok(()));
                    self.until_closed(&mut watch).await;
                }
                Err(error) => {
                    self.warn(&error, failures);
                    self.tell(first.take(), Err(error));
                }
            }
            failures += 1;
            tokio::time::sleep(backoff::pause(failures, fastrand::f64())).await;
        }
    }

    fn begin(&self, watch: &Watch, failures: u32) {
        self.union.set(self.index, watch.snapshot());
        if failures > 0 {
            let (registry, service) = (self.index + 1, &self.service);
            tracing::info!(registry, %service, "the registry can be watched again");
        }
    }

    async fn until_closed(&self, watch: &mut Watch) {
        loop {
            match watch.changed().await {
                Ok(part) => self.union.set(self.index, part),
                Err(closed) => return self.warn(&closed, 0),
            }
        }
    }

    /// Says once that the registry cannot be watched, and not at each further try.
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
