use doge_base::Env;
use doge_rpc_core::{
    Code, Status,
    call::{Request, Response},
    observe,
    transport::Address,
};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::{Core, Endpoint, EndpointSet, attempt::Attempt};
use crate::{
    channel::ConnectWait,
    ha::{Endpoints, Event, Pick, Tried},
    watch::Progress,
};

/// One call over one set of endpoints, as a strategy sees it.
pub(super) struct Attempts<'a> {
    core: &'a Core,
    set: &'a EndpointSet,
    request: &'a Request,
    progress: &'a Progress,
    /// When it began: when the first endpoint is picked and asked, so that most calls look at the clock once.
    began: Instant,
    /// How many attempts the call had when it began here. After a further attempt the clock is looked at again.
    before: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(
        core: &'a Core,
        set: &'a EndpointSet,
        request: &'a Request,
        progress: &'a Progress,
        now: Instant,
    ) -> Self {
        Self {
            core,
            set,
            request,
            progress,
            began: now,
            before: progress.attempts(),
        }
    }

    fn now(&self) -> Instant {
        if self.progress.attempts() > self.before {
            Instant::now()
        } else {
            self.began
        }
    }

    /// Tells that an endpoint was picked.
    fn picked(&self, endpoint: Option<usize>) {
        let observers = &self.core.watch.observers;
        if let Some(endpoint) = endpoint {
            let address = self.set.endpoints()[endpoint].channel().address();
            observers.observe(&observe::Event::EndpointPicked(address));
        }
    }
}

impl Attempts<'_> {
    async fn watched_attempt(
        &self,
        endpoint: &Endpoint,
        request: &Request,
        wait: ConnectWait,
        now: Instant,
        earlier: u32,
    ) -> Result<Response, Status> {
        let attempt = Attempt::begin(self.core, endpoint, request, now);
        // The first attempt is in the span of the call.
        let span = match earlier > 0 && self.progress.has_span() {
            true => attempt_span(endpoint, request),
            false => Span::none(),
        };
        let running = endpoint.attempt(request, wait, now, &self.core.attempts);
        let answer = running.instrument(span.clone()).await;
        let code = answer.as_ref().map_or_else(Status::code, |_| Code::Ok);
        span.record("code", tracing::field::display(code));
        attempt.end(&answer);
        answer
    }
}

impl Endpoints for Attempts<'_> {
    fn env(&self) -> &Env {
        &self.core.env
    }

    fn count(&self) -> usize {
        self.set.endpoints().len()
    }

    fn pick(&self, request: &Request, tried: &Tried) -> Option<Pick> {
        let picked = self.set.pick(request, tried, self.now());
        self.picked(picked.map(|picked| picked.endpoint));
        picked
    }

    fn has_up(&self, tried: &Tried) -> bool {
        self.set.has_up(tried)
    }

    fn pick_for_hedge(&self, request: &Request, tried: &Tried) -> Option<usize> {
        let picked = self.set.pick_for_hedge(request, tried, self.now());
        self.picked(picked);
        picked
    }

    async fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
        wait: ConnectWait,
    ) -> Result<Response, Status> {
        let now = self.now();
        let earlier = self.progress.attempt();
        let endpoint = &self.set.endpoints()[endpoint];
        if self.progress.is_watched() {
            return Box::pin(self.watched_attempt(endpoint, request, wait, now, earlier)).await;
        }
        let tally = &self.core.attempts;
        endpoint.attempt(request, wait, now, tally).await
    }

    fn address(&self, endpoint: usize) -> Option<&Address> {
        Some(self.set.endpoints()[endpoint].channel().address())
    }

    fn timed_out(&self, endpoint: usize) {
        self.set.endpoints()[endpoint].timed_out();
    }

    fn began(&self) -> Instant {
        self.began
    }

    /// A bare channel does.
    fn keeps_deadline(&self) -> bool {
        self.core.attempt_layers.is_empty()
    }

    fn note(&self, event: Event) {
        self.core.counters.event(event);
        let observers = &self.core.watch.observers;
        if !observers.is_empty() {
            let route = self.request.route();
            observers.observe(&match event {
                Event::Retry => observe::Event::Retry(route),
                Event::Hedge => observe::Event::Hedge(route),
                Event::HedgeWon => observe::Event::HedgeWon(route),
                Event::BudgetEmpty => observe::Event::BudgetEmpty(route),
            });
        }
    }
}

fn attempt_span(endpoint: &Endpoint, request: &Request) -> Span {
    tracing::info_span!(
        target: "doge::call",
        "attempt",
        address = %endpoint.channel().address(),
        number = request.attempt().number,
        code = tracing::field::Empty,
    )
}
