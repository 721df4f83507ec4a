use std::sync::Arc;

use arc_swap::ArcSwap;
use doge_base::Env;
use doge_registry::ServiceKey;
use doge_rpc_core::{
    Status,
    call::{Layers, Request, Response},
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    ClusterStats, EndpointSet, Policies,
    discovery::{ListState, Selection},
    policies::Policy,
    stats::Counters,
};
use crate::{
    balance::Balancing,
    ha::Budget,
    health::HealthConfig,
    limit::{Limiter, Permit},
    watch::{Tally, Watch},
};

/// A cluster below the layers of a call.
pub(super) struct Core {
    pub(super) service: ServiceKey,
    pub(super) set: ArcSwap<EndpointSet>,
    pub(super) balancing: Balancing,
    pub(super) selection: Selection,
    pub(super) health: HealthConfig,
    pub(super) attempt_layers: Layers,
    pub(super) limiter: Option<Arc<Limiter>>,
    pub(super) policies: Policies,
    pub(super) budget: Budget,
    pub(super) watch: Arc<Watch>,
    pub(super) attempts: Arc<Tally>,
    pub(super) counters: Counters,
    pub(super) list: Mutex<ListState>,
    /// Told after each change of the endpoints, and when one of them gets connected.
    pub(super) changed: Notify,
    /// Makes the discovery look whether the subset is enough.
    pub(super) starved: Arc<Notify>,
    /// Where the cluster takes chance from.
    pub(super) env: Env,
    /// Makes the monitor look at once.
    pub(super) alarm: Arc<Notify>,
    /// Ends the tasks of the cluster.
    pub(super) gone: CancellationToken,
}

impl Drop for Core {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}

impl Core {
    pub(super) fn stats(&self) -> ClusterStats {
        let set = self.set.load();
        let now = Instant::now();
        let (calls, attempts) = (&self.watch.calls, &self.attempts);
        // Ends before starts, so that no more calls seem to have ended than have begun.
        let (calls_ended, attempts_ended) = (calls.ended(), attempts.ended());
        ClusterStats {
            calls: calls.started(),
            calls_ended,
            call_latencies: calls.latencies(),
            attempts: attempts.started(),
            attempts_ended,
            attempt_latencies: attempts.latencies(),
            retries_left: self.budget.left(now),
            panicking: set.is_panicking(),
            list: self.list.lock().read(now),
            endpoints: set.endpoints().iter().map(|it| it.stats(now)).collect(),
            ..self.counters.stats()
        }
    }

    /// Lets a call through. The limits of its method come first: a call that waits for its method must not take the
    /// room of others.
    pub(super) async fn pass<'a>(
        &'a self,
        policy: &'a Policy,
        request: &Request,
    ) -> Result<Permits<'a>, Status> {
        let method = self.pass_one(policy.limiter.as_ref(), request).await?;
        let service = self.pass_one(self.limiter.as_ref(), request).await?;
        Ok(Permits([service, method]))
    }

    async fn pass_one<'a>(
        &self,
        limiter: Option<&'a Arc<Limiter>>,
        request: &Request,
    ) -> Result<Option<(Permit<'a>, &'a Arc<Limiter>)>, Status> {
        let Some(limiter) = limiter else {
            return Ok(None);
        };
        match limiter.acquire(request.deadline()).await {
            Ok(permit) => Ok(Some((permit, limiter))),
            Err(refused) => {
                self.counters.limited();
                Err(refused)
            }
        }
    }
}

/// What a call holds of the limits of its service and of its method.
#[derive(Debug, Default)]
pub(super) struct Permits<'a>([Option<(Permit<'a>, &'a Arc<Limiter>)>; 2]);

impl Permits<'_> {
    /// Gives the permits back with the answer, or after the items of the answer.
    pub(super) fn keep(self, answer: Result<Response, Status>) -> Result<Response, Status> {
        if let Ok(head) = &answer
            && head.body().has_items()
        {
            let permits = self.0.into_iter().flatten();
            permits.for_each(|(permit, limiter)| permit.follow(limiter, head.body()));
        }
        answer
    }
}
