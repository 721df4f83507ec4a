//! All endpoints of a service, as the registry has them: which calls go where, and what becomes of those that fail.
//!
//! A call passes the layers of the call, the limits, and a strategy, which makes attempts at endpoints that a set
//! picks. `discovery` keeps the set as the registry has it; `monitor` keeps its endpoints connected and healthy.

mod attempt;
mod attempts;
mod builder;
mod call;
mod core;
mod discovery;
mod endpoint;
mod endpoint_guards;
mod endpoint_set;
mod flaps;
mod monitor;
mod nearness;
mod policies;
mod policy;
mod stats;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use doge_registry::{Instance, Registry, ServiceKey};
use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Request, Response},
    schema::ServiceSchema,
};
use tokio::time::Instant;

pub use self::{
    builder::{ClusterBuilder, ClusterError},
    policy::MethodPolicy,
    stats::{ClusterStats, EndpointStats, InstanceList},
};
use self::{
    core::Core, discovery::Discovery, endpoint::Endpoint, endpoint_set::EndpointSet,
    monitor::Monitor, policies::Policies,
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
                async move { core.call_below_layers(request).await }
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
        let answer = self.call_at(request, Instant::now()).await;
        answer.map_err(|status| status.received_from(request.route()))
    }

    /// Makes one call that begins `now`.
    pub(crate) async fn call_at(
        &self,
        request: &Request,
        now: Instant,
    ) -> Result<Response, Status> {
        let core = &self.shared.core;
        match &self.shared.layered {
            None => core.call(request, now).await,
            Some(layered) => Box::pin(core.call_through(layered.clone(), request, now)).await,
        }
    }

    /// Makes one call at each endpoint, 64 at a time, and returns what each has to say. What an instance refuses or
    /// fails is not tried again. Dropping the future tells the servers to stop.
    ///
    /// With a [`subset`](crate::Balancing::subset) the endpoints are those that this client connects to, and not all instances
    /// of the service.
    ///
    /// The layers of a call are passed by, since there is no one answer for them to see. Limits count the broadcast until the
    /// heads of all answers are there.
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
        self.shared.core.stats()
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

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("service", &self.shared.core.service)
            .field("endpoints", &self.addresses())
            .finish()
    }
}
