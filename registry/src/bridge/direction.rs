use std::sync::Arc;

use doge_base::{Env, Pauses};
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::image::image_of;
use super::mirrors::{Mirrors, Plan};
use crate::failing::Failing;
use crate::remote::pauses;
use crate::remote::telling::at;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Watch};

/// How many images are registered at the same time.
const AT_ONCE: usize = 16;

/// One of the two registries, as far as one service is concerned.
#[derive(Debug)]
pub(super) struct Side {
    registry: Arc<dyn Registry>,
    service: ServiceKey,
    watch: Watch,
    env: Env,
    /// Opens a watch that was closed again, if it was.
    reopening: JoinSet<Watch>,
}

impl Side {
    pub(super) async fn watch(
        registry: &Arc<dyn Registry>,
        service: &ServiceKey,
        env: &Env,
    ) -> Result<Self, RegistryError> {
        Ok(Self {
            registry: Arc::clone(registry),
            service: service.clone(),
            watch: registry.watch(service.clone()).await?,
            env: env.clone(),
            reopening: JoinSet::new(),
        })
    }

    /// The same with a watch of its own.
    pub(super) fn once_more(&self) -> Self {
        Self {
            registry: Arc::clone(&self.registry),
            service: self.service.clone(),
            watch: self.watch.clone(),
            env: self.env.clone(),
            reopening: JoinSet::new(),
        }
    }

    /// Waits for a change. A watch that was closed is opened again, after a pause. Cancel safe.
    async fn changed(&mut self) {
        if self.reopening.is_empty() {
            if self.watch.changed().await.is_ok() {
                return;
            }
            // A task, so that it is not begun anew whenever something changes on the other side.
            let (registry, service) = (Arc::clone(&self.registry), self.service.clone());
            self.reopening.spawn(opened_again(
                registry,
                service,
                pauses::of_bridge(&self.env),
            ));
        }
        if let Some(Ok(watch)) = self.reopening.join_next().await {
            self.watch = watch;
        }
    }
}

/// A new watch, however often it has to be tried.
async fn opened_again(
    registry: Arc<dyn Registry>,
    service: ServiceKey,
    mut pauses: Pauses,
) -> Watch {
    loop {
        sleep(pauses.failed()).await;
        match registry.watch(service.clone()).await {
            Ok(watch) => return watch,
            Err(error) => {
                tracing::debug!(%service, %error, "a bridge cannot watch a registry");
            }
        }
    }
}

/// Shows the instances of one service that are at home in one registry abroad, in the other.
#[derive(Debug)]
pub(super) struct Direction {
    home: Side,
    abroad: Side,
    mirrors: Mirrors<Registration>,
    failing: Failing,
}

impl Direction {
    pub(super) fn new(home: Side, abroad: Side) -> Self {
        Self {
            home,
            abroad,
            mirrors: Mirrors::new(),
            failing: Failing::default(),
        }
    }

    /// Shows them until the other end of `stopping` is dropped, and takes all back.
    pub(super) async fn run(
        mut self,
        mut stopping: watch::Receiver<()>,
    ) -> Result<(), RegistryError> {
        let mut pauses = pauses::of_bridge(&self.abroad.env);
        loop {
            let (home, abroad) = (&self.home.watch, &self.abroad.watch);
            let plan = self.mirrors.plan(&home.snapshot(), &abroad.snapshot());
            // Not dropped half-way, so that all of it is known when the bridge stops.
            let again = match self.carry_out(plan).await {
                Ok(()) => {
                    pauses.succeeded();
                    None
                }
                Err(()) => Some(Instant::now() + pauses.failed()),
            };
            tokio::select! {
                biased;
                _ = stopping.changed() => break,
                () = self.home.changed() => {}
                () = self.abroad.changed() => {}
                () = at(again) => {}
            }
        }
        withdraw(self.mirrors.take_all()).await
    }

    /// Fails when some of it has to be tried again.
    async fn carry_out(&mut self, plan: Plan<Registration>) -> Result<(), ()> {
        let shown = self.show(plan.show).await;
        // After the new ones, so that one that changed has no gap.
        if let Err(error) = withdraw(plan.withdraw).await {
            tracing::debug!(service = %self.abroad.service, %error, "an instance is not taken back, and expires");
        }
        shown
    }

    async fn show(&mut self, originals: Vec<Arc<Instance>>) -> Result<(), ()> {
        let mut all = Ok(());
        for group in originals.chunks(AT_ONCE) {
            let registry = &self.abroad.registry;
            let registering = group
                .iter()
                .map(|original| registry.register(image_of(original, &self.abroad.env)));
            let mut none = true;
            for (original, registered) in group.iter().zip(join_all(registering).await) {
                let noted = self.note(original, registered);
                none &= noted.is_err();
                all = all.and(noted);
            }
            if none {
                // The others would not fare better, and take just as long.
                return Err(());
            }
        }
        if all.is_ok() && self.failing.ends() {
            tracing::info!(service = %self.abroad.service, "all instances are shown in the other registry again");
        }
        all
    }

    fn note(
        &mut self,
        original: &Arc<Instance>,
        registered: Result<Registration, RegistryError>,
    ) -> Result<(), ()> {
        let (service, id) = (&self.abroad.service, original.id());
        match registered {
            Ok(registration) => {
                self.mirrors.note_shown(Arc::clone(original), registration);
            }
            Err(error) if is_final(&error) => {
                tracing::warn!(%service, id, %error, "an instance cannot be shown in the other registry, and is passed over");
                self.mirrors.pass_over(Arc::clone(original));
            }
            Err(error) => {
                if self.failing.begins() {
                    tracing::warn!(%service, id, %error, "an instance is not shown in the other registry; it is tried again and again");
                }
                return Err(());
            }
        }
        Ok(())
    }
}

/// Whether it will be refused as long as the instance is what it is.
fn is_final(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::CannotHold { .. }
            | RegistryError::InvalidName { .. }
            | RegistryError::TooLarge { .. }
    )
}

/// Takes all back at the same time; fails with the first that does.
async fn withdraw(images: Vec<Registration>) -> Result<(), RegistryError> {
    let left = join_all(images.into_iter().map(Registration::leave)).await;
    left.into_iter().collect()
}
