use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use arc_swap::ArcSwap;
use doge_registry::ServiceKey;
use doge_rpc_core::{
    Status,
    call::{Layers, Request, Response},
};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{Answer, Policies, Set, attempts::Attempts, policies::Policy, stats::Counters};
use crate::{
    balance::Balancing,
    ha::{Budget, Plan},
    health::HealthConfig,
    late::{WaitedFor, late},
    limit::{Limiter, Permit},
    status_tables::is_unreachable,
};

/// A cluster below the layers of a call.
pub(super) struct Core {
    pub(super) service: ServiceKey,
    pub(super) set: ArcSwap<Set>,
    /// Whether there is one endpoint.
    pub(super) alone: Arc<AtomicBool>,
    pub(super) balancing: Balancing,
    pub(super) health: HealthConfig,
    pub(super) attempt_layers: Layers,
    pub(super) limiter: Option<Limiter>,
    pub(super) policies: Policies,
    pub(super) budget: Budget,
    pub(super) counters: Counters,
    /// Told after each change of the endpoints, and when one of them gets connected.
    pub(super) changed: watch::Sender<()>,
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
    /// Makes one call, which begins `now`.
    pub(super) async fn call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        self.counters.call();
        let policy = self.policies.of(request.route());
        let answer = self.call_by(&policy, request, now).await;
        answer.or_else(|status| policy.plan.answer_for(request, status))
    }

    async fn call_by(
        &self,
        policy: &Policy,
        request: &Request,
        mut now: Instant,
    ) -> Result<Response, Status> {
        let began = now;
        let permits = self.pass(policy, request).await?;
        if permits.iter().any(Option::is_some) {
            // It may have waited for one.
            now = Instant::now();
        }
        policy.plan.begin(request, &self.budget, now);
        let mut changed = request.waits_for_ready().then(|| self.changed.subscribe());
        loop {
            let set = self.set.load_full();
            let last = match self.run(&policy.plan, &set, request, now).await {
                Err(status) if is_unreachable(&status) => status,
                answer => return answer,
            };
            // In a rolling restart all that were there can be gone by now, and others there.
            let is_old = !Arc::ptr_eq(&set, &self.set.load());
            if is_old && policy.plan.goes_elsewhere() && !request.deadline().has_passed() {
                now = Instant::now();
                continue;
            }
            let Some(changed) = &mut changed else {
                return Err(last);
            };
            let pause = tokio::time::timeout(PAUSE, changed.changed());
            let waited = tokio::time::timeout_at(request.deadline().instant(), pause).await;
            now = Instant::now();
            if waited.is_err() {
                let late = late(request, None, WaitedFor::Instance, began);
                return Err(late.context(last.message()));
            }
        }
    }

    async fn run(
        &self,
        plan: &Plan,
        set: &Set,
        request: &Request,
        now: Instant,
    ) -> Result<Response, Status> {
        if set.endpoints().is_empty() {
            let why = format!("no instance of {} is registered", self.service);
            return Err(Status::unavailable(why).not_sent());
        }
        let attempts = Attempts::new(self, set, now);
        plan.run(&attempts, request, &self.budget).await
    }

    /// Makes one call at each endpoint.
    pub(super) async fn broadcast(&self, request: &Request) -> Result<Vec<Answer>, Status> {
        self.counters.call();
        let policy = self.policies.of(request.route());
        let _permits = self.pass(&policy, request).await?;
        let set = self.set.load_full();
        let attempts = Attempts::new(self, &set, Instant::now());
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
