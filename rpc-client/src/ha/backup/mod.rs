//! A second attempt while the first is still out: when, how often, and the race of the two.

mod credit;
mod delay;
mod race;

use std::pin::pin;

use doge_rpc_core::{
    Code, Status,
    call::{Request, Response},
};
use tokio::time::{Instant, timeout};

use self::{credit::Credit, delay::Delay, race::Race};
use super::{
    BackupRequest, Budget, Endpoints, Tried,
    course::Course,
    endpoints::{attempt, nobody},
    failover,
    verdict::Verdict,
};

/// Backup requests, with what was learned about the calls so far.
#[derive(Debug)]
pub(super) struct Backup {
    config: BackupRequest,
    delay: Delay,
    credit: Credit,
}

impl Backup {
    pub(super) fn new(config: BackupRequest, now: Instant) -> Self {
        Self {
            delay: Delay::new(config.delay, config.initial_delay, now),
            credit: Credit::new(config.ratio, config.burst),
            config,
        }
    }

    /// Makes one call. Cancel safe: dropping it cancels all its attempts.
    pub(super) async fn run<E: Endpoints>(
        &self,
        endpoints: &E,
        request: &Request,
        budget: &Budget,
    ) -> Result<Response, Status> {
        let failover = &self.config.failover;
        if !request.route().idempotent() || request.attempt.retry {
            return failover::run(failover, endpoints, request, budget).await;
        }
        let picked = endpoints.pick(request, &Tried::new());
        let endpoint = picked.ok_or_else(|| nobody(endpoints, request))?;
        self.credit.earn();
        let (begun, delay) = (Instant::now(), self.delay.get());
        let mut first = pin!(attempt(endpoints, endpoint, request));
        let answer = timeout(delay, first.as_mut()).await;
        if let Ok(answer) = &answer {
            self.learn(begun, answer);
        }
        // What comes after is large and rare: it does not make the future of every call larger.
        let mut course = Course::new(failover, endpoints, request, budget);
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(status)) if Verdict::of(&status, request) == Verdict::Final => Err(status),
            Ok(Err(status)) => {
                course.began(endpoint);
                course.failed(endpoint, status)?;
                let race = Race::new(self, course, begun + delay);
                Box::pin(race.with_first_passed_on().run()).await
            }
            Err(_) => {
                course.began(endpoint);
                let race = Race::new(self, course, begun + delay);
                Box::pin(race.with_first(endpoint, first, begun).run()).await
            }
        }
    }

    /// Learns from a first attempt that began then. One that failed before the deadline says nothing about how long
    /// an answer takes.
    fn learn(&self, begun: Instant, answer: &Result<Response, Status>) {
        let late = |status: &Status| status.code() == Code::DeadlineExceeded && !status.never_ran();
        if answer.as_ref().err().is_none_or(late) {
            self.delay.record(begun.elapsed(), Instant::now());
        }
    }

    /// Learns that a first attempt was given up for a hedge that was quicker. It would have taken longer than this;
    /// since it is past the delay in any case, a percentile that it counts for stays right.
    fn learn_lost(&self, begun: Instant) {
        self.delay.record(begun.elapsed(), Instant::now());
    }
}
