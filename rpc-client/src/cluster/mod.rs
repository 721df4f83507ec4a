//! All endpoints of a service, as the registry has them: which calls go where, and what becomes of those that fail.
//!
//! A call passes the layers of the call, the limits, and a strategy, which makes attempts at endpoints that a set
//! picks. `follow` keeps the set as the registry has it; `monitor` keeps its endpoints connected and healthy.

mod attempt;
mod attempts;
mod builder;
mod endpoint;
mod follow;
mod losses;
mod monitor;
mod nearness;
mod policies;
mod policy;
mod set;
mod stats;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use arc_swap::ArcSwap;
use doge_registry::{Instance, Registry, ServiceKey};
use doge_rpc_core::{
    Code, Status,
    call::{BoxedService, Layers, Request, Response},
    schema::ServiceSchema,
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use self::{
    attempts::Attempts,
    endpoint::Endpoint,
    follow::Follow,
    monitor::Monitor,
    policies::{Policies, Policy},
    set::Set,
    stats::Counters,
};
pub use self::{
    builder::{ClusterBuilder, ClusterError},
    policy::MethodPolicy,
    stats::{ClusterStats, EndpointStats},
};
use crate::{
    balance::Balancing,
    ha::{Budget, Plan},
    health::HealthConfig,
    limit::{Limiter, Permit},
};

/// The calls to a service, spread over the instances that a registry has of it. Cheap to clone.
///
/// An instance that cannot be reached is passed over until it can be; what becomes of a call whose attempt fails is
/// up to its [`Strategy`](crate::Strategy).
///
/// ```
/// use std::sync::Arc;
///
/// use doge_registry::{Instance, Memory, Registry, ServiceKey};
/// use doge_rpc_client::Cluster;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry: Arc<dyn Registry> = Arc::new(Memory::new());
/// let service = ServiceKey::new("hr.employee").with_group("canary");
/// let instance = Instance::new(service.clone(), "tcp://127.0.0.1:4399");
/// let _registration = registry.register(instance).await?;
///
/// let cluster = Cluster::builder(service).registry(&registry).follow().await?;
/// assert_eq!(cluster.addresses(), ["tcp://127.0.0.1:4399"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    core: Arc<Core>,
    /// The same with the layers of a call around it, if there are any.
    layered: Option<BoxedService>,
}

/// A cluster below the layers of a call.
struct Core {
    service: ServiceKey,
    set: ArcSwap<Set>,
    /// Whether there is one endpoint.
    alone: Arc<AtomicBool>,
    balancing: Balancing,
    health: HealthConfig,
    attempt_layers: Layers,
    limiter: Option<Limiter>,
    policies: Policies,
    budget: Budget,
    counters: Counters,
    /// Told after each change of the endpoints, and when one of them gets connected.
    changed: watch::Sender<()>,
    /// Makes the monitor look at once.
    alarm: Arc<Notify>,
    /// Ends the tasks of the cluster.
    gone: CancellationToken,
}

impl Drop for Core {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl Cluster {
    /// A cluster of this service, to be configured.
    pub fn builder(service: ServiceKey) -> ClusterBuilder {
        ClusterBuilder::new(service)
    }

    /// A cluster of the service of a trait, in its version, to be configured.
    pub fn of(schema: &ServiceSchema) -> ClusterBuilder {
        ClusterBuilder::of(schema)
    }

    /// Follows a registry, with all else as the defaults have it. Cancel safe: a dropped attempt follows nothing.
    ///
    /// # Errors
    ///
    /// When the registry cannot be watched.
    pub async fn follow(
        registry: &Arc<dyn Registry>,
        service: ServiceKey,
    ) -> Result<Self, ClusterError> {
        Self::builder(service).registry(registry).follow().await
    }

    fn new(core: Arc<Core>, layers: &Layers) -> Self {
        let layered = (!layers.is_empty()).then(|| {
            let core = Arc::clone(&core);
            layers.around(tower::service_fn(move |request| {
                let core = Arc::clone(&core);
                async move { core.call(&request).await }
            }))
        });
        Self {
            shared: Arc::new(Shared { core, layered }),
        }
    }

    /// Makes one call. Dropping the future tells the server to stop.
    ///
    /// # Errors
    ///
    /// The status of the call; `Unavailable` when no instance is there, `ResourceExhausted` when a limit of this client
    /// refuses it.
    pub async fn call(&self, request: &Request) -> Result<Response, Status> {
        let Some(layered) = &self.shared.layered else {
            return self.shared.core.call(request).await;
        };
        let call = Layers::call(layered.clone(), request.clone());
        let late = |_| Err(Status::deadline_exceeded("no answer in time"));
        let ended = tokio::time::timeout_at(request.deadline().instant(), call).await;
        ended.unwrap_or_else(late)
    }

    /// Makes one call at each endpoint, 64 at a time, and returns what each has to say. What an instance refuses or
    /// fails is not tried again. Dropping the future tells the servers to stop.
    ///
    /// With a [`subset`](Balancing::subset) the endpoints are those that this client connects to, and not all instances
    /// of the service.
    ///
    /// The layers of a call are passed by, since there is no one answer for them to see.
    ///
    /// # Errors
    ///
    /// When a limit of this client refuses the call.
    pub async fn broadcast(&self, request: &Request) -> Result<Vec<Answer>, Status> {
        self.shared.core.broadcast(request).await
    }

    /// Addresses of the endpoints at this moment.
    pub fn addresses(&self) -> Vec<String> {
        let set = self.shared.core.set.load();
        let endpoints = set.endpoints().iter();
        endpoints
            .map(|endpoint| endpoint.channel().address().to_string())
            .collect()
    }

    /// What it has done so far, and how its endpoints are.
    pub fn stats(&self) -> ClusterStats {
        let set = self.shared.core.set.load();
        let endpoints = set.endpoints().iter().map(Endpoint::stats).collect();
        self.shared.core.counters.stats(endpoints)
    }
}

/// What one instance has to say to a call that all were asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// Who says it.
    pub instance: Arc<Instance>,
    /// Its answer, or why there is none.
    pub result: Result<Response, Status>,
}

impl Core {
    async fn call(&self, request: &Request) -> Result<Response, Status> {
        self.counters.call();
        let policy = self.policies.of(request.route());
        let answer = self.call_by(policy, request).await;
        answer.or_else(|status| policy.plan.answer_for(request, status))
    }

    async fn call_by(&self, policy: &Policy, request: &Request) -> Result<Response, Status> {
        let _permits = self.pass(policy, request).await?;
        policy.plan.begin(request, &self.budget);
        let mut changed = request.waits_for_ready().then(|| self.changed.subscribe());
        loop {
            let set = self.set.load_full();
            let last = match self.run(&policy.plan, &set, request).await {
                Err(status) if is_unreachable(&status) => status,
                answer => return answer,
            };
            // In a rolling restart all that were there can be gone by now, and others there.
            let is_old = !Arc::ptr_eq(&set, &self.set.load());
            if is_old && policy.plan.goes_elsewhere() && !request.deadline().has_passed() {
                continue;
            }
            let Some(changed) = &mut changed else {
                return Err(last);
            };
            let pause = tokio::time::timeout(PAUSE, changed.changed());
            let waited = tokio::time::timeout_at(request.deadline().instant(), pause).await;
            if waited.is_err() {
                let late = Status::deadline_exceeded("no instance was ready before the deadline");
                return Err(late.context(last.message()).with_never_ran(true));
            }
        }
    }

    async fn run(&self, plan: &Plan, set: &Set, request: &Request) -> Result<Response, Status> {
        if set.endpoints().is_empty() {
            let why = format!("no instance of {} is registered", self.service);
            return Err(Status::unavailable(why).with_never_ran(true));
        }
        let attempts = Attempts { core: self, set };
        plan.run(&attempts, request, &self.budget).await
    }

    async fn broadcast(&self, request: &Request) -> Result<Vec<Answer>, Status> {
        self.counters.call();
        let policy = self.policies.of(request.route());
        let _permits = self.pass(policy, request).await?;
        let set = self.set.load_full();
        let attempts = Attempts {
            core: self,
            set: &set,
        };
        let answers = Plan::broadcast(&attempts, request).await.into_iter();
        Ok(answers
            .map(|(endpoint, result)| Answer {
                instance: Arc::clone(set.endpoints()[endpoint].instance()),
                result,
            })
            .collect())
    }

    /// Lets a call through. The limits of its method come first: a call that waits for its method must not take the
    /// room of others.
    async fn pass<'a>(
        &'a self,
        policy: &'a Policy,
        request: &Request,
    ) -> Result<[Option<Permit<'a>>; 2], Status> {
        let method = self.pass_one(policy.limiter.as_deref(), request).await?;
        let service = self.pass_one(self.limiter.as_ref(), request).await?;
        Ok([service, method])
    }

    async fn pass_one<'a>(
        &self,
        limiter: Option<&'a Limiter>,
        request: &Request,
    ) -> Result<Option<Permit<'a>>, Status> {
        let Some(limiter) = limiter else {
            return Ok(None);
        };
        match limiter.acquire(request.deadline()).await {
            Ok(permit) => Ok(Some(permit)),
            Err(refused) => {
                self.counters.limited();
                Err(refused)
            }
        }
    }
}

/// The longest between two looks at instances none of which can be reached, if nothing is known to have changed.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether no instance took the call, so that waiting for one makes sense.
fn is_unreachable(status: &Status) -> bool {
    status.never_ran() && status.code() == Code::Unavailable
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("service", &self.shared.core.service)
            .field("endpoints", &self.addresses())
            .finish()
    }
}
