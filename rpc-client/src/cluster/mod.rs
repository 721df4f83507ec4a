//! All endpoints of a service, as the registry has them.

mod endpoint;
mod follow;
mod round_robin;

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use doge_registry::{Registry, RegistryError, ServiceKey};
use doge_rpc_core::{
    Code, Status,
    call::{Request, Response},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::{endpoint::Endpoint, follow::Follow, round_robin::RoundRobin};
use crate::{ChannelConfig, channel::Patience};

/// The calls to a service, spread in turn over the instances that a registry has of it. Cheap to clone.
///
/// An instance that cannot be reached is passed over until it can be, and a call that provably never ran there goes
/// to the next one.
///
/// ```
/// use doge_registry::{Instance, Memory, Registry as _, ServiceKey};
/// use doge_rpc_client::Cluster;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), doge_registry::RegistryError> {
/// let registry = Memory::new();
/// let service = ServiceKey::new("hr.employee").with_group("canary");
/// let instance = Instance::new(service.clone(), "tcp://127.0.0.1:4399");
/// let _registration = registry.register(instance).await?;
///
/// let cluster = Cluster::follow(&registry, service).await?;
/// assert_eq!(cluster.addresses(), ["tcp://127.0.0.1:4399"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
}

struct Shared {
    service: ServiceKey,
    endpoints: ArcSwap<Vec<Endpoint>>,
    turn: RoundRobin,
    /// Told after each change of the endpoints.
    changed: watch::Sender<()>,
    /// Ends the task that follows the registry, with the last clone.
    gone: CancellationToken,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl Cluster {
    /// Follows a registry; channels are as the defaults have them. Cancel safe: a dropped attempt follows nothing.
    ///
    /// # Errors
    ///
    /// When the registry cannot be watched.
    pub async fn follow(
        registry: &dyn Registry,
        service: ServiceKey,
    ) -> Result<Self, RegistryError> {
        Self::follow_with(registry, service, ChannelConfig::default()).await
    }

    /// Follows a registry. Cancel safe: a dropped attempt follows nothing.
    ///
    /// # Errors
    ///
    /// When the registry cannot be watched.
    pub async fn follow_with(
        registry: &dyn Registry,
        service: ServiceKey,
        config: ChannelConfig,
    ) -> Result<Self, RegistryError> {
        let watch = registry.watch(service.clone()).await?;
        let shared = Arc::new(Shared {
            service,
            endpoints: ArcSwap::default(),
            turn: RoundRobin::default(),
            changed: watch::Sender::new(()),
            gone: CancellationToken::new(),
        });
        Follow::new(&shared, watch, config).start();
        Ok(Self { shared })
    }

    /// Makes one call. Dropping the future tells the server to stop.
    ///
    /// # Errors
    ///
    /// The status of the call; `Unavailable` when no instance is there.
    pub async fn call(&self, request: &Request, wait_for_ready: bool) -> Result<Response, Status> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            let last = match self.try_all(request).await {
                Err(status) if moves_on(&status) => status,
                answer => return answer,
            };
            if !wait_for_ready {
                return Err(last);
            }
            self.wait(request, &mut changed).await.map_err(|_| {
                Status::deadline_exceeded("the deadline")
                    .context(last.message())
                    .with_never_ran(true)
            })?;
        }
    }

    /// Addresses of the endpoints at this moment.
    pub fn addresses(&self) -> Vec<String> {
        self.shared
            .endpoints
            .load()
            .iter()
            .map(|endpoint| endpoint.channel().address().to_string())
            .collect()
    }

    /// Offers the call to each endpoint in turn: first to those that are not known to be down, then to all. Those that
    /// are down are tried again meanwhile, without a call waiting for it.
    async fn try_all(&self, request: &Request) -> Result<Response, Status> {
        let endpoints = self.shared.endpoints.load_full();
        let turn = self.shared.turn.next(endpoints.len());
        let in_turn = || turn.clone().map(|index| endpoints[index].channel());
        let up = in_turn().filter(|channel| !channel.is_down_and_probed());
        // One that hangs must not use up the time of the next.
        let patience = if endpoints.len() > 1 {
            Patience::Half
        } else {
            Patience::Whole
        };
        let mut last = None;
        for channel in up.chain(in_turn()) {
            match channel.call_patiently(patience, request, false).await {
                Err(status) if moves_on(&status) || gave_up_early(&status, request) => {
                    last = Some(status);
                }
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(|| {
            let why = format!("no instance of {} is registered", self.shared.service);
            Status::unavailable(why).with_never_ran(true)
        }))
    }

    /// Waits until another try may go better.
    async fn wait(
        &self,
        request: &Request,
        changed: &mut watch::Receiver<()>,
    ) -> Result<(), tokio::time::error::Elapsed> {
        let deadline = request.deadline().instant();
        let endpoints = self.shared.endpoints.load_full();
        let reachable = async {
            match self.shared.turn.next(endpoints.len()).next() {
                Some(index) => {
                    let _ = endpoints[index].channel().ready().await;
                    tokio::time::sleep(PAUSE).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::time::timeout_at(deadline, async {
            tokio::select! {
                () = reachable => {}
                _ = changed.changed() => {}
            }
        })
        .await
    }
}

/// Between two looks at instances none of which can be reached.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Whether a call can go to another endpoint: it never ran, and not because of what it is.
fn moves_on(status: &Status) -> bool {
    status.never_ran() && status.code() == Code::Unavailable
}

/// Whether an endpoint was left because there was no connection in the time it was given.
fn gave_up_early(status: &Status, request: &Request) -> bool {
    status.never_ran()
        && status.code() == Code::DeadlineExceeded
        && !request.deadline().has_passed()
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("service", &self.shared.service)
            .field("endpoints", &self.addresses())
            .finish()
    }
}
