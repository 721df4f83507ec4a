use std::{
    pin::pin,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use doge_registry::ServiceKey;
use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Request, Response},
};
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use tracing::Instrument as _;

use super::{
    Answer, ClusterStats, EndpointSet, Policies, attempts::Attempts, follow::ListState,
    policies::Policy, stats::Counters,
};
use crate::{
    balance::Balancing,
    ha::{Budget, Plan},
    health::HealthConfig,
    in_place::{InPlace, until_deadline},
    late::{WaitedFor, late},
    limit::{Limiter, Permit},
    status_tables::is_unreachable,
    watch::{Call, Progress, Tally, Watch},
};

/// A cluster below the layers of a call.
pub(super) struct Core {
    pub(super) service: ServiceKey,
    pub(super) set: ArcSwap<EndpointSet>,
    /// Whether there is one endpoint.
    pub(super) alone: Arc<AtomicBool>,
    pub(super) balancing: Balancing,
    pub(super) health: HealthConfig,
    pub(super) attempt_layers: Layers,
    pub(super) limiter: Option<Limiter>,
    pub(super) policies: Policies,
    pub(super) budget: Budget,
    pub(super) watch: Watch,
    pub(super) attempts: Tally,
    pub(super) counters: Counters,
    pub(super) list: Mutex<ListState>,
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
        if self.watch.is_on() {
            return Box::pin(self.watched_call(request, now)).await;
        }
        let counted = self.watch.calls.begin();
        let (policy, progress) = (self.policies.of(request.route()), Progress::default());
        let answer = self
            .call_by::<false>(&policy, request, now, &progress)
            .await;
        let answer = match answer {
            Err(status) => {
                let answer = policy.plan.answer_for(request, status);
                answer.inspect_err(|status| self.watch.failed(request, status))
            }
            // Returned whole, so that it is not moved part by part.
            answer => answer,
        };
        counted.end(&answer);
        answer
    }

    async fn watched_call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        let progress = Progress::default();
        let call = Call::begin(&self.watch, request, None, &progress, now);
        let answer = self
            .make(request, now, &progress)
            .instrument(call.span())
            .await;
        call.end(&answer);
        answer
    }

    /// Makes one call through the layers of a call.
    pub(super) async fn call_through(
        &self,
        layered: BoxedService,
        request: &Request,
        now: Instant,
    ) -> Result<Response, Status> {
        let progress = Arc::new(Progress::default());
        let call = Call::begin(&self.watch, request, None, &progress, now);
        let mut inside = request.clone();
        inside.extensions_mut().insert(Arc::clone(&progress));
        let place = pin!(Some(Layers::call(layered, inside).instrument(call.span())));
        let ended = until_deadline(request.deadline().instant(), InPlace::new(place)).await;
        let late = || Err(late(request, None, WaitedFor::Answer, now));
        let answer = ended.unwrap_or_else(late);
        call.end(&answer);
        answer
    }

    /// Makes one call that came through the layers.
    pub(super) async fn call_below_layers(&self, request: Request) -> Result<Response, Status> {
        // A layer that makes a request of its own makes attempts that its call does not know.
        let progress = request.extensions().get::<Arc<Progress>>().cloned();
        let progress = progress.unwrap_or_default();
        self.make(&request, Instant::now(), &progress).await
    }

    async fn make(
        &self,
        request: &Request,
        now: Instant,
        progress: &Progress,
    ) -> Result<Response, Status> {
        let policy = self.policies.of(request.route());
        let answer = self.call_by::<true>(&policy, request, now, progress).await;
        answer.or_else(|status| policy.plan.answer_for(request, status))
    }

    async fn call_by<const WATCHED: bool>(
        &self,
        policy: &Policy,
        request: &Request,
        mut now: Instant,
        progress: &Progress,
    ) -> Result<Response, Status> {
        let began = now;
        let permits = match (&policy.limiter, &self.limiter) {
            (None, None) => [None, None],
            _ => self.pass(policy, request).await?,
        };
        if permits.iter().any(Option::is_some) {
            // It may have waited for one.
            now = Instant::now();
        }
        policy.plan.begin(request, &self.budget, now);
        let mut changed = request.waits_for_ready().then(|| self.changed.subscribe());
        loop {
            let set = self.set.load_full();
            let last = match self
                .run::<WATCHED>(&policy.plan, &set, request, now, progress)
                .await
            {
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

    async fn run<const WATCHED: bool>(
        &self,
        plan: &Plan,
        set: &EndpointSet,
        request: &Request,
        now: Instant,
        progress: &Progress,
    ) -> Result<Response, Status> {
        if set.endpoints().is_empty() {
            let why = format!("no instance of {} is registered", self.service);
            return Err(Status::unavailable(why).not_sent());
        }
        let attempts = Attempts::<WATCHED>::new(self, set, request, progress, now);
        plan.run(&attempts, request, &self.budget).await
    }

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

    /// Makes one call at each endpoint.
    pub(super) async fn broadcast(&self, request: &Request) -> Result<Vec<Answer>, Status> {
        let progress = Progress::default();
        let call = Call::begin(&self.watch, request, None, &progress, Instant::now());
        let making = self.make_broadcast(request, &progress);
        let answers = making.instrument(call.span()).await;
        call.end(&as_one(&answers));
        answers
    }

    async fn make_broadcast(
        &self,
        request: &Request,
        progress: &Progress,
    ) -> Result<Vec<Answer>, Status> {
        let policy = self.policies.of(request.route());
        let _permits = self.pass(&policy, request).await?;
        let set = self.set.load_full();
        let attempts = Attempts::<true>::new(self, &set, request, progress, Instant::now());
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

/// The answers of all as the answer of one call: the first that is a failure or an error of the application, or else the
/// first.
fn as_one(answers: &Result<Vec<Answer>, Status>) -> Result<Response, Status> {
    let answers = answers.as_ref().map_err(Status::clone)?;
    let is_result =
        |answer: &&Answer| matches!(&answer.result, Ok(it) if !it.is_application_error());
    let telling = answers.iter().find(|answer| !is_result(answer));
    let told = telling
        .or(answers.first())
        .map(|answer| answer.result.clone());
    told.unwrap_or_else(|| Ok(Response::from_result(Bytes::new())))
}

/// The longest between two looks at instances none of which can be reached, if nothing is known to have changed.
const PAUSE: Duration = Duration::from_secs(1);
