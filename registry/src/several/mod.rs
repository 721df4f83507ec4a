mod member;
mod opening;
mod presence;
#[cfg(test)]
mod tests;
mod union;

use std::sync::Arc;

use doge_base::Env;
use futures_util::future::{BoxFuture, join_all};
use tokio::runtime::Handle;

use self::member::Member;
use self::opening::Opening;
use self::presence::Presence;
use self::union::Union;
use crate::{Instance, Registration, Registry, RegistryError, ServiceKey, Snapshot, Watch};

/// Several registries as one, as for the time in which one etcd cluster takes the place of another.
///
/// - **Registering** announces the instance in all of them, under the same id, or in none: when one
///   refuses, the others are left again and the error says which one it was. A server that looks
///   started but cannot be found by half of its callers would be worse than one that does not start.
///   Once registered, each registry sees for itself to it that the instance stays there.
/// - **Watching** shows every instance that any of them has. One that several have, told by its id,
///   is shown as the first of these has it.
/// - A registry that cannot be watched, at first or later, is tried again for ever: after up to
///   0.2 s, and up to twice as long each time until it is 5 s, at random ("full jitter", as AWS has
///   it). So is one whose watch closes soon after it was opened; the trouble is over, and pauses are
///   short again, when a watch has lived for 5 s. Meanwhile the others serve, and what it had last is
///   kept. Only when none of them can be watched at first does [`watch`](Registry::watch) fail. It
///   waits for those that do not answer for 1 s at most once another one has; their instances come
///   later.
///
/// A [hint](Watch::refresh) to a watch is a hint to the watch of each registry. It [registers](Registry::registers) if one
/// of them does.
///
/// Without any registry, it is as [`Static`](crate::Static) without addresses. Each watch has work
/// of its own on the tokio runtime it is made on, over the shared sources of the registries, until
/// it and its clones are dropped.
///
/// ```
/// use std::sync::Arc;
///
/// use doge_registry::{Instance, Memory, Registry, ServiceKey, Several};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (old, new) = (Memory::new(), Memory::new());
/// let both = Several::new([Arc::new(new.clone()) as Arc<dyn Registry>, Arc::new(old.clone())]);
///
/// let key = ServiceKey::new("hr.employee");
/// let moved = both.register(Instance::new(key.clone(), "tcp://10.0.0.1:4399")).await?;
/// let not_yet = old.register(Instance::new(key.clone(), "tcp://10.0.0.2:4399")).await?;
///
/// assert_eq!(new.watch(key.clone()).await?.snapshot().len(), 1);
/// assert_eq!(old.watch(key.clone()).await?.snapshot().len(), 2);
/// assert_eq!(both.watch(key).await?.snapshot().len(), 2);
/// # drop((moved, not_yet));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Several {
    registries: Arc<[Arc<dyn Registry>]>,
    env: Env,
}

impl Several {
    /// These registries as one; the order says which one counts for an instance that several have.
    pub fn new(registries: impl IntoIterator<Item = Arc<dyn Registry>>) -> Self {
        Self {
            registries: registries.into_iter().collect(),
            env: Env::system(),
        }
    }

    /// Sets where the jitter of the pauses comes from: [`Env::system`] unless set.
    #[must_use]
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }
}

impl Registry for Several {
    /// Announces in all, at the same time, or in none.
    ///
    /// # Errors
    ///
    /// [`RegistryError::OneOf`] names the first registry, in their order, that refused.
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            let each = self.registries.iter();
            let announced =
                join_all(each.map(|registry| registry.register(instance.clone()))).await;
            let presence = Presence::in_all(announced).await?;
            Ok(Registration::new(Arc::new(instance), presence))
        })
    }

    /// Follows all, as soon as one of them can be followed.
    ///
    /// # Errors
    ///
    /// [`RegistryError::OneOf`] with the first registry, in their order, when none can be followed.
    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            if self.registries.is_empty() {
                return Ok(Watch::fixed(Snapshot::default()));
            }
            let runtime = Handle::try_current().map_err(|_| RegistryError::NoRuntime)?;
            let union = Arc::new(Union::new(self.registries.len()));
            // The members end when nobody watches, so there is a watch from before the first of them.
            let starting = union.watch();
            let (opening, opened) = Opening::of(self.registries.len());
            for (index, registry) in self.registries.iter().enumerate() {
                let member = Member::new(registry, index, &service, &union, &self.env);
                runtime.spawn(member.follow(opened.clone()));
            }
            drop(opened);
            opening.finish().await?;
            // A fresh one, for which what there is by now is no change.
            let watch = union.watch();
            drop(starting);
            Ok(watch)
        })
    }

    fn registers(&self) -> bool {
        self.registries.iter().any(|registry| registry.registers())
    }
}
