use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Weak},
    time::Duration,
};

use doge_base::{Address, Env, Location};
use doge_registry::{
    BoxFuture, Instance, Leave, Publisher, Registration, Registry, RegistryError, ServiceKey,
    Snapshot, Watch,
};
use parking_lot::Mutex;

/// A registry within the process that delays what it says, lies, forgets everything, and comes back to the truth.
///
/// Each watch learns of a change after a delay of its own. Clones are handles to the same registry.
///
/// ```
/// use doge_base::Env;
/// use doge_registry::{Instance, Registry, ServiceKey};
/// use doge_testing::FaultyRegistry;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = FaultyRegistry::new(Env::seeded(1));
/// let key = ServiceKey::new("hr.employee");
/// let instance = Instance::new(key.clone(), "tcp://employee-1:7000");
/// let _registration = registry.register(instance).await?;
/// let mut watch = registry.watch(key).await?;
/// registry.forget();
/// assert!(watch.changed().await?.is_empty());
/// registry.restore();
/// assert_eq!(watch.changed().await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FaultyRegistry {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    env: Env,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    delay: RangeInclusive<Duration>,
    instances: BTreeMap<ServiceKey, BTreeMap<String, Arc<Instance>>>,
    watchers: BTreeMap<ServiceKey, Vec<Weak<Publisher>>>,
    shows: Shows,
    /// Instances of hosts that were lost, by id: they stay until they expire.
    orphans: BTreeMap<String, Arc<Instance>>,
}

/// What the registry says of what it has.
#[derive(Debug)]
enum Shows {
    Truth,
    Nothing,
    /// These besides.
    Lies(Vec<Instance>),
    /// Nothing new: watches keep what they have.
    Silence,
}

impl FaultyRegistry {
    /// A registry without instances, whose watches learn of a change within 50 ms.
    #[must_use]
    pub fn new(env: Env) -> Self {
        let state = State {
            delay: Duration::ZERO..=Duration::from_millis(50),
            instances: BTreeMap::new(),
            watchers: BTreeMap::new(),
            shows: Shows::Truth,
            orphans: BTreeMap::new(),
        };
        Self {
            shared: Arc::new(Shared {
                env,
                state: Mutex::new(state),
            }),
        }
    }

    /// Sets after what time watches learn of a change.
    pub fn set_delay(&self, delay: RangeInclusive<Duration>) {
        self.shared.state.lock().delay = delay;
    }

    /// Shows no instance of any service.
    pub fn forget(&self) {
        self.shared.show(Shows::Nothing);
    }

    /// Shows these instances besides those that there are.
    pub fn lie(&self, instances: impl IntoIterator<Item = Instance>) {
        self.shared
            .show(Shows::Lies(instances.into_iter().collect()));
    }

    /// Says nothing any more, as when it cannot be reached: watches keep what they have, and a new watch begins empty.
    pub fn fall_silent(&self) {
        self.shared.show(Shows::Silence);
    }

    /// Shows what there is again.
    pub fn restore(&self) {
        self.shared.show(Shows::Truth);
    }

    /// What is registered for a service, whatever the registry shows.
    #[must_use]
    pub fn truth(&self, service: &ServiceKey) -> Snapshot {
        self.shared.state.lock().truth(service)
    }

    /// Takes note that a host was lost: its instances do not leave any more, and stay until they [expire](Self::expire).
    pub fn lose(&self, host: &str) {
        let mut state = self.shared.state.lock();
        let all = state.instances.values().flat_map(BTreeMap::values);
        let lost: Vec<_> = all.filter(|it| is_at(it, host)).cloned().collect();
        let lost = lost.into_iter().map(|it| (it.id().to_owned(), it));
        state.orphans.extend(lost);
    }

    /// Takes out the instances of a host that were there when it was [lost](Self::lose), as happens when the time to live
    /// of their registrations is over.
    pub fn expire(&self, host: &str) {
        let mut state = self.shared.state.lock();
        let State {
            instances, orphans, ..
        } = &mut *state;
        orphans.retain(|id, orphan| {
            if !is_at(orphan, host) {
                return true;
            }
            if let Some(of_service) = instances.get_mut(orphan.key()) {
                of_service.remove(id);
            }
            false
        });
        drop(state);
        self.shared.tell_all();
    }
}

fn is_at(instance: &Instance, host: &str) -> bool {
    let address = Address::of_instance(instance.address());
    address.is_ok_and(|it| matches!(it.location(), Location::Tcp(at) if at.host() == host))
}

impl Shared {
    fn show(self: &Arc<Self>, shows: Shows) {
        self.state.lock().shows = shows;
        self.tell_all();
    }

    fn tell_all(self: &Arc<Self>) {
        let services: Vec<_> = self.state.lock().watchers.keys().cloned().collect();
        services.iter().for_each(|service| self.tell(service));
    }

    /// Lets each watch of a service learn in its time what is shown then.
    fn tell(self: &Arc<Self>, service: &ServiceKey) {
        let mut state = self.state.lock();
        let (least, most) = (*state.delay.start(), *state.delay.end());
        let Some(watchers) = state.watchers.get_mut(service) else {
            return;
        };
        watchers.retain(|it| it.strong_count() > 0);
        for watcher in &*watchers {
            let watcher = watcher.clone();
            let (shared, service) = (Arc::clone(self), service.clone());
            let delay = least + most.saturating_sub(least).mul_f64(self.env.fraction());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                let shown = shared.state.lock().shown(&service);
                if let (Some(publisher), Some(shown)) = (watcher.upgrade(), shown) {
                    publisher.publish(shown);
                }
            });
        }
    }

    fn leave(self: &Arc<Self>, instance: &Arc<Instance>) {
        let mut state = self.state.lock();
        if state.orphans.contains_key(instance.id()) {
            return;
        }
        if let Some(instances) = state.instances.get_mut(instance.key())
            && instances
                .get(instance.id())
                .is_some_and(|it| Arc::ptr_eq(it, instance))
        {
            instances.remove(instance.id());
        }
        drop(state);
        self.tell(instance.key());
    }
}

impl State {
    fn truth(&self, service: &ServiceKey) -> Snapshot {
        let instances = self.instances.get(service);
        let instances = instances.into_iter().flat_map(BTreeMap::values);
        instances.map(|it| (**it).clone()).collect()
    }

    fn shown(&self, service: &ServiceKey) -> Option<Snapshot> {
        match &self.shows {
            Shows::Truth => Some(self.truth(service)),
            Shows::Nothing => Some(Snapshot::default()),
            Shows::Silence => None,
            Shows::Lies(lies) => {
                let lies = lies.iter().filter(|it| it.key() == service);
                let truth = self.truth(service);
                let all = truth.iter().map(|it| (**it).clone()).chain(lies.cloned());
                Some(all.collect())
            }
        }
    }
}

impl Registry for FaultyRegistry {
    fn register(&self, instance: Instance) -> BoxFuture<'_, Result<Registration, RegistryError>> {
        Box::pin(async move {
            instance.key().validate()?;
            let (key, instance) = (instance.key().clone(), Arc::new(instance));
            let mut state = self.shared.state.lock();
            let instances = state.instances.entry(key.clone()).or_default();
            instances.insert(instance.id().to_owned(), Arc::clone(&instance));
            drop(state);
            self.shared.tell(&key);
            let presence = Presence {
                shared: Arc::clone(&self.shared),
                instance: Arc::clone(&instance),
            };
            Ok(Registration::new(instance, presence))
        })
    }

    fn watch(&self, service: ServiceKey) -> BoxFuture<'_, Result<Watch, RegistryError>> {
        Box::pin(async move {
            service.validate()?;
            let mut state = self.shared.state.lock();
            let publisher = Arc::new(Publisher::new(state.shown(&service).unwrap_or_default()));
            let watch = publisher.watch();
            let watchers = state.watchers.entry(service).or_default();
            watchers.push(Arc::downgrade(&publisher));
            // It lives as long as somebody watches.
            tokio::spawn(async move { publisher.unwatched().await });
            Ok(watch)
        })
    }
}

#[derive(Debug)]
struct Presence {
    shared: Arc<Shared>,
    instance: Arc<Instance>,
}

impl Leave for Presence {
    fn leave(self: Box<Self>) -> BoxFuture<'static, Result<(), RegistryError>> {
        self.shared.leave(&self.instance);
        Box::pin(std::future::ready(Ok(())))
    }

    fn abandon(self: Box<Self>) {
        self.shared.leave(&self.instance);
    }
}
