//! What a cluster is told before it follows.

mod error;

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use doge_base::Env;
use doge_registry::{Registry, ServiceKey, Several};
use doge_rpc_core::{
    call::{CallLayer, Layers, Request},
    observe::Observer,
    schema::ServiceSchema,
    transport::Dialect,
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

pub use self::error::ClusterError;
use super::{
    Cluster, Core, Discovery, EndpointSet, MethodPolicy, Monitor, Policies,
    discovery::{ListState, Selection, Tag},
    stats::Counters,
};
use crate::{
    ChannelConfig, ChannelPool,
    balance::Balancing,
    ha::{Budget, RetryBudget, Strategy},
    health::HealthConfig,
    limit::{CallLimits, Limiter},
    watch::{Observers, SpanSampler, Tally, Watch},
};

/// Which instances to call, and how.
///
/// ```
/// use std::{sync::Arc, time::Duration};
///
/// use doge_registry::{Registry, ServiceKey};
/// use doge_rpc_client::{
///     Balancing, CallLimits, Cluster, ClusterError, LoadBalancing, MethodPolicy, Strategy,
/// };
///
/// async fn employees(registry: &Arc<dyn Registry>) -> Result<Cluster, ClusterError> {
///     Cluster::builder(ServiceKey::new("hr.employee"))
///         .group("canary")
///         .registry(registry)
///         .balancing(Balancing { policy: LoadBalancing::LeastActive, ..Balancing::default() })
///         .limits(CallLimits::new().concurrency(200))
///         .method("hire", MethodPolicy::new().strategy(Strategy::Failfast))
///         .follow()
///         .await
/// }
/// ```
#[must_use = "a builder follows nothing before `follow`"]
#[derive(Debug)]
pub struct ClusterBuilder {
    service: ServiceKey,
    registries: Vec<Arc<dyn Registry>>,
    pool: Option<ChannelPool>,
    balancing: Balancing,
    dialects: Option<Vec<Dialect>>,
    tags: Vec<Tag>,
    env: Env,
    strategy: Strategy,
    retry_budget: RetryBudget,
    health: HealthConfig,
    limits: Option<CallLimits>,
    methods: BTreeMap<String, MethodPolicy>,
    /// The methods that there are, where a schema says so.
    known: Option<Vec<String>>,
    call_layers: Layers,
    attempt_layers: Layers,
    observers: Observers,
    sampler: Option<SpanSampler>,
    timed: bool,
}

impl ClusterBuilder {
    pub(super) fn new(service: ServiceKey) -> Self {
        Self {
            service,
            registries: Vec::new(),
            pool: None,
            balancing: Balancing::default(),
            dialects: None,
            tags: Vec::new(),
            env: Env::system(),
            strategy: Strategy::default(),
            retry_budget: RetryBudget::default(),
            health: HealthConfig::default(),
            limits: None,
            methods: BTreeMap::new(),
            known: None,
            call_layers: Layers::default(),
            attempt_layers: Layers::default(),
            observers: Observers::default(),
            sampler: None,
            timed: false,
        }
    }

    pub(super) fn of(schema: &ServiceSchema) -> Self {
        let service = ServiceKey::new(schema.name()).with_version(schema.version());
        let names = schema
            .methods()
            .iter()
            .map(|method| method.name().to_owned());
        Self {
            known: Some(names.collect()),
            ..Self::new(service)
        }
    }

    /// Calls the instances of this group. `default`.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.service = self.service.with_group(group);
        self
    }

    /// Calls the instances of this version. That of the schema or key.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.service = self.service.with_version(version);
        self
    }

    /// Finds instances here. With several registries those of all are called, as [`Several`] has it.
    pub fn registry(mut self, registry: &Arc<dyn Registry>) -> Self {
        self.registries.push(Arc::clone(registry));
        self
    }

    /// How instances are chosen.
    pub fn balancing(mut self, balancing: Balancing) -> Self {
        self.balancing = balancing;
        self
    }

    /// Calls instances in these dialects only, whatever registry lists them.
    ///
    /// Without it, instances of a registry that others can write to (etcd) are called in the native dialect, so that a
    /// wrong or hostile entry cannot make this client send a call in plaintext to whoever listens; instances of the
    /// process's own configuration (a fixed list, a folder, memory, Python doge's registry) are called as their addresses
    /// say. A fleet that is called through a bridge from Python doge's registry asks for both:
    ///
    /// ```
    /// use doge_registry::ServiceKey;
    /// use doge_rpc_client::Cluster;
    /// use doge_rpc_core::transport::Dialect;
    ///
    /// let cluster = Cluster::builder(ServiceKey::new("hr.employee"));
    /// let cluster = cluster.dialects([Dialect::Native, Dialect::Doge]);
    /// # let _ = cluster;
    /// ```
    pub fn dialects(mut self, dialects: impl IntoIterator<Item = Dialect>) -> Self {
        self.dialects = Some(dialects.into_iter().collect());
        self
    }

    /// Calls instances that have this tag. While no instance that takes calls has all tags, calls go to the others, which a
    /// warning and [`InstanceList::tag_fallback`](crate::InstanceList::tag_fallback) say.
    ///
    /// ```
    /// use doge_registry::ServiceKey;
    /// use doge_rpc_client::Cluster;
    ///
    /// let cluster = Cluster::builder(ServiceKey::new("hr.employee")).tag("build", "412");
    /// # let _ = cluster;
    /// ```
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag {
            name: name.into(),
            value: value.into(),
            is_required: false,
        });
        self
    }

    /// Calls instances that have this tag and never others: without such an instance, calls fail as without any instance.
    pub fn required_tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag {
            name: name.into(),
            value: value.into(),
            is_required: true,
        });
        self
    }

    /// Where the cluster takes chance from: which subset it calls, whom it picks, how pauses vary. The system.
    pub fn env(mut self, env: Env) -> Self {
        self.env = env;
        self
    }

    /// What a call does when an attempt fails, unless its method says otherwise.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// How many retries all calls together may cost.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// When an instance is put out of rotation, and for how long.
    pub fn health(mut self, health: HealthConfig) -> Self {
        self.health = health;
        self
    }

    /// How many calls this client makes, all methods together. No limit.
    pub fn limits(mut self, limits: CallLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// What is different for the method of this wire name.
    ///
    /// [`follow`](Self::follow) refuses a name that the trait does not have. A builder that was made with a
    /// [`ServiceKey`] alone knows no trait: there, a name without a method is never met and changes nothing.
    pub fn method(mut self, name: impl Into<String>, policy: MethodPolicy) -> Self {
        self.methods.insert(name.into(), policy);
        self
    }

    /// Puts a tower layer around each call, above the limits and the strategy: it sees a call once, however many
    /// attempts that takes. The first one added is outermost.
    ///
    /// A layer's error that is a [`Status`](doge_rpc_core::Status) is the status of the call; tower's `Overloaded`
    /// and `Elapsed` become `ResourceExhausted` and `DeadlineExceeded`, others `Unknown`. A call through layers
    /// costs a few allocations more.
    pub fn call_layer(mut self, layer: impl CallLayer) -> Self {
        self.call_layers.push(layer);
        self
    }

    /// Puts a tower layer around each attempt, below the balancer: it is made once for each instance, and sees every
    /// attempt there, retries and hedges included. Errors are as with [`call_layer`](Self::call_layer), except that
    /// `Elapsed` becomes `Unavailable`, so that an idempotent call goes on to another instance; what a layer refuses
    /// can do so as well if the status says that it [never ran](doge_rpc_core::Status::never_ran).
    pub fn attempt_layer(mut self, layer: impl CallLayer) -> Self {
        self.attempt_layers.push(layer);
        self
    }

    /// Watches the cluster: its calls, their attempts, its endpoints and the connections to them. Several observers are told
    /// in the order in which they were added. A call is seen around the [layers of a call](Self::call_layer), as its caller
    /// sees it, and an attempt around the [layers of an attempt](Self::attempt_layer).
    ///
    /// Of a connection that clusters share, the observers of each are told.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use doge_registry::{Registry, ServiceKey};
    /// use doge_rpc_client::{Cluster, ClusterError};
    /// use doge_rpc_core::observe::{Event, Observer};
    ///
    /// /// The addresses of endpoints that were put out of rotation.
    /// #[derive(Debug, Default)]
    /// struct Ejected(Mutex<Vec<String>>);
    ///
    /// impl Observer for Ejected {
    ///     fn observe(&self, event: &Event<'_>) {
    ///         if let (Event::EndpointEjected(address), Ok(mut ejected)) = (event, self.0.lock()) {
    ///             ejected.push(address.to_string());
    ///         }
    ///     }
    /// }
    ///
    /// async fn watched(registry: &Arc<dyn Registry>) -> Result<Cluster, ClusterError> {
    ///     let ejected = Arc::new(Ejected::default());
    ///     let service = ServiceKey::new("hr.employee");
    ///     Cluster::builder(service).registry(registry).observer(Arc::clone(&ejected)).follow().await
    /// }
    /// ```
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Which calls get a span, while a subscriber collects spans of the target `doge::call`. All.
    ///
    /// The sampler is asked before a span is made: a span that nobody keeps costs more than the rest of a call's
    /// bookkeeping.
    ///
    /// ```
    /// use doge_registry::ServiceKey;
    /// use doge_rpc_client::Cluster;
    ///
    /// // Calls whose caller is traced, by the flag of W3C's `traceparent`.
    /// let cluster = Cluster::builder(ServiceKey::new("hr.employee")).sampler(|request| {
    ///     let parent = request.metadata().get("traceparent");
    ///     parent.is_some_and(|parent| parent.ends_with(b"-01"))
    /// });
    /// # let _ = cluster;
    /// ```
    pub fn sampler(mut self, sampler: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.sampler = Some(SpanSampler::new(sampler));
        self
    }

    /// Takes the times of calls and attempts, for [`ClusterStats`](crate::ClusterStats). Off: the clock is the dearest part
    /// of counting.
    pub fn timed(mut self, timed: bool) -> Self {
        self.timed = timed;
        self
    }

    /// Shares connections with those who use this pool. The pool of the process.
    pub fn pool(mut self, pool: &ChannelPool) -> Self {
        self.pool = Some(pool.clone());
        self
    }

    /// How this cluster's channels connect. They are its own then, and not shared.
    pub fn channel(self, config: ChannelConfig) -> Self {
        self.pool(&ChannelPool::new(config))
    }

    /// Follows the registries. Cancel safe: a dropped attempt follows nothing.
    ///
    /// What keeps the cluster as the registries have it, and its endpoints connected and healthy, runs on the tokio
    /// runtime that this was called on, until the cluster is dropped. When that runtime ends first, the endpoints stay
    /// as they were last known, and nobody reconnects them: make a cluster on a runtime that lives as long. When a
    /// registry is gone, which is logged as a warning, the endpoints stay as they were last known too, but are kept
    /// connected.
    ///
    /// Of several instances at one address, as when a process was restarted on its port and what is left of the
    /// earlier one has not expired yet, only the one that came last is an endpoint.
    ///
    /// # Errors
    ///
    /// [`ClusterError`] when no registry was given, when none can be watched, when a method is not in the trait, or
    /// when limits make no sense.
    pub async fn follow(mut self) -> Result<Cluster, ClusterError> {
        self.check_methods()?;
        let limiter = self
            .limits
            .map(|limits| Limiter::new(&limits, format!("service {}", self.service)))
            .transpose()?;
        let policies = Policies::new(self.service.service(), self.strategy, self.methods)?;
        let registry: Arc<dyn Registry> = match self.registries.len() {
            0 => return Err(ClusterError::NoRegistry(self.service)),
            1 => self.registries.swap_remove(0),
            _ => Arc::new(Several::new(self.registries)),
        };
        let watch = registry.watch(self.service.clone()).await?;
        let core = Arc::new(Core {
            service: self.service,
            set: ArcSwap::from_pointee(EndpointSet::new(Vec::new(), &self.balancing, &self.env)),
            selection: Selection {
                dialects: self.dialects,
                tags: self.tags,
                subset: self.balancing.subset.map(|size| size.max(1)),
            },
            balancing: self.balancing,
            starved: Arc::new(Notify::new()),
            env: self.env,
            health: self.health,
            attempt_layers: self.attempt_layers,
            limiter: limiter.map(Arc::new),
            policies,
            budget: Budget::new(&self.retry_budget, Instant::now()),
            watch: Arc::new(Watch::new(self.observers, self.sampler, self.timed)),
            attempts: Arc::new(Tally::new(self.timed)),
            counters: Counters::default(),
            list: Mutex::new(ListState::new()),
            changed: Notify::new(),
            alarm: Arc::new(Notify::new()),
            gone: CancellationToken::new(),
        });
        let pool = self.pool.unwrap_or_else(ChannelPool::of_process);
        Discovery::new(&core, watch.clone(), pool).start();
        Monitor::new(&core, watch).start();
        Ok(Cluster::new(core, &self.call_layers))
    }

    fn check_methods(&self) -> Result<(), ClusterError> {
        let Some(known) = &self.known else {
            return Ok(());
        };
        let is_unknown = |name: &&String| !known.contains(name);
        // The first by name, so that it is the same one each time.
        match self.methods.keys().filter(is_unknown).min() {
            None => Ok(()),
            Some(method) => Err(ClusterError::UnknownMethod {
                service: self.service.clone(),
                method: method.clone(),
                known: known.clone(),
            }),
        }
    }
}
