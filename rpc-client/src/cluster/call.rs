//! One call: its usual course, which is flat, and all other courses, which are boxed.

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use doge_rpc_core::{
    Status,
    call::{BoxedService, Layers, Request, Response},
};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::{Answer, Core, EndpointSet, attempts::Attempts, core::Permits, policies::Policy};
use crate::{
    channel::Exchanged,
    ha::{Pick, Plan, Reach, Tried},
    in_place::{InPlace, until_deadline},
    late::{WaitedFor, late},
    status_tables::is_unreachable,
    watch::{Call, Progress},
};

/// The longest between two looks at instances none of which can be reached, if nothing is known to have changed.
const PAUSE: Duration = Duration::from_secs(1);

impl Core {
    /// Makes one call, which begins `now`.
    ///
    /// The usual course is one attempt at one endpoint, over the connection that there is, whose answer is that of the
    /// call. It is made here, in one future without others inside. Each other course is in a box, and goes on where the
    /// usual course ends: what has counted the call and the attempt until then counts them to their end.
    pub(super) async fn call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        if self.watch.is_on() {
            return Box::pin(self.watched_call(request, now)).await;
        }
        let counted = self.watch.calls.begin();
        let policy = self.policies.of(request.route());
        let answer = 'answer: {
            let (permits, now) = match self.admit(&policy, request, now).await {
                Ok(admitted) => admitted,
                Err(refused) => break 'answer Err(refused),
            };
            let Some((set, picked)) = self.begin_usual(&policy, request, now) else {
                let progress = Progress::default();
                let running = Box::pin(self.run(&policy, request, now, &progress, None));
                break 'answer permits.keep(running.await);
            };
            let endpoint = &set.endpoints()[picked.endpoint];
            let attempt = endpoint.begin_attempt(now, &self.attempts);
            let call = endpoint.begin_call(request);
            let answer = match endpoint.channel().exchange(request, now).await {
                Exchanged::Answered(answer) => answer,
                Exchanged::NotSent { resends } => {
                    let wait = policy.plan.first_wait(request, set.endpoints().len());
                    let slowly = endpoint.channel().call_slowly(wait, request, now, resends);
                    Box::pin(slowly).await
                }
            };
            call.end(&answer);
            attempt.end(&answer);
            match answer {
                Err(status) if policy.plan.goes_on(request, &status) => {
                    let (progress, first) = (Progress::default(), (&set, picked, status));
                    let running = self.run(&policy, request, now, &progress, Some(first));
                    permits.keep(Box::pin(running).await)
                }
                // The answer of a connection has no items.
                answer => answer,
            }
        };
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

    /// Where the usual course of a call goes; `None` when the call takes another course from the start.
    #[inline]
    fn begin_usual(
        &self,
        policy: &Policy,
        request: &Request,
        now: Instant,
    ) -> Option<(Arc<EndpointSet>, Pick)> {
        let is_usual = self.attempt_layers.is_empty()
            && policy.plan.begins_with_one_attempt(request)
            && !request.waits_for_ready();
        if !is_usual {
            return None;
        }
        let set = self.set.load_full();
        let picked = set.pick(request, &Tried::new(), now)?;
        // Without any connection, the call waits for the first that is made.
        (picked.reach == Reach::Connected).then_some((set, picked))
    }

    async fn watched_call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        let progress = Progress::default();
        let call = Call::begin(&self.watch, request, None, &progress, now);
        let making = self.make(request, now, &progress);
        let answer = making.instrument(call.span()).await;
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

    /// Makes one call through its strategy from the start; not for the usual course.
    async fn make(
        &self,
        request: &Request,
        now: Instant,
        progress: &Progress,
    ) -> Result<Response, Status> {
        let policy = self.policies.of(request.route());
        let answer = match self.admit(&policy, request, now).await {
            Ok((permits, now)) => {
                permits.keep(self.run(&policy, request, now, progress, None).await)
            }
            Err(refused) => Err(refused),
        };
        answer.or_else(|status| policy.plan.answer_for(request, status))
    }

    /// Lets a call through the limits, and counts it for the strategy. The time from which it is on its way.
    #[inline]
    async fn admit<'a>(
        &'a self,
        policy: &'a Policy,
        request: &Request,
        mut now: Instant,
    ) -> Result<(Permits<'a>, Instant), Status> {
        let mut permits = Permits::default();
        if policy.limiter.is_some() || self.limiter.is_some() {
            permits = self.pass(policy, request).await?;
            // It may have waited for a permit.
            now = Instant::now();
        }
        policy.plan.begin(request, &self.budget, now);
        Ok((permits, now))
    }

    /// Runs the strategy of a call until somebody took the call, after a first attempt that failed if there was one.
    async fn run(
        &self,
        policy: &Policy,
        request: &Request,
        mut now: Instant,
        progress: &Progress,
        mut first: Option<(&Arc<EndpointSet>, Pick, Status)>,
    ) -> Result<Response, Status> {
        let began = now;
        loop {
            // From here on, so that no change is missed that comes after the look at the endpoints.
            let mut changed = pin!(self.changed.notified());
            if request.waits_for_ready() {
                changed.as_mut().enable();
            }
            let first = first.take();
            let set = match &first {
                Some((set, ..)) => Arc::clone(set),
                None => self.connected_set(request, &mut now).await,
            };
            let last = match self
                .run_over(&set, policy, request, now, progress, first)
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
            if !request.waits_for_ready() {
                return Err(last);
            }
            let pause = tokio::time::timeout(PAUSE, changed);
            let waited = tokio::time::timeout_at(request.deadline().instant(), pause).await;
            now = Instant::now();
            if waited.is_err() {
                let late = late(request, None, WaitedFor::Instance, began);
                return Err(late.context(last.message()));
            }
        }
    }

    /// The endpoints, one of which is connected if that can be had within half of the time: of several that connect, the
    /// first to be connected counts, whichever a balancer would have picked.
    async fn connected_set(&self, request: &Request, now: &mut Instant) -> Arc<EndpointSet> {
        let set = self.set.load_full();
        if set.is_connected() {
            return set;
        }
        let time = request.deadline().instant().saturating_duration_since(*now);
        let from = self.env.index(set.endpoints().len());
        set.connect_any(from, *now + time / 2).await;
        // What it has waited is no time of an endpoint, and no time that the server may take.
        *now = Instant::now();
        set
    }

    fn why_no_endpoint(&self) -> String {
        let service = &self.service;
        match self.list.lock().instances() {
            0 => format!("no instance of {service} is registered"),
            count => format!(
                "of {count} registered instances of {service} none is called: the log says of each whether its address \
                 or its dialect is refused (ClusterBuilder::dialects), or a required tag is missing"
            ),
        }
    }

    async fn run_over(
        &self,
        set: &EndpointSet,
        policy: &Policy,
        request: &Request,
        now: Instant,
        progress: &Progress,
        first: Option<(&Arc<EndpointSet>, Pick, Status)>,
    ) -> Result<Response, Status> {
        let (plan, budget) = (&policy.plan, &self.budget);
        let attempts = Attempts::new(self, set, request, progress, now);
        if let Some((_, picked, status)) = first {
            progress.attempt();
            return plan.go_on(&attempts, request, budget, picked, status).await;
        }
        if set.endpoints().is_empty() {
            return Err(Status::unavailable(self.why_no_endpoint()).not_sent());
        }
        plan.run(&attempts, request, budget).await
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
        let permits = self.pass(&policy, request).await?;
        let set = self.set.load_full();
        let attempts = Attempts::new(self, &set, request, progress, Instant::now());
        let answers = Plan::broadcast(&attempts, request).await.into_iter();
        let answers: Vec<_> = answers
            .map(|(endpoint, result)| Answer {
                instance: Arc::clone(set.endpoints()[endpoint].instance()),
                result,
            })
            .collect();
        drop(permits);
        Ok(answers)
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
