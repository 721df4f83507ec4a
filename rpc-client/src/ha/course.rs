use std::{pin::pin, time::Duration};

use doge_rpc_core::{
    Code, Status,
    call::{Request, Response},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Budget, Endpoints, Event, Failover, Tried,
    endpoints::{attempt, nobody},
    verdict::Verdict,
};

/// The attempts of one call: what happened, and so where it may go next.
pub(super) struct Course<'a, E> {
    config: &'a Failover,
    endpoints: &'a E,
    request: &'a Request,
    budget: &'a Budget,
    /// Had an attempt since the last time that all had one.
    tried: Tried,
    /// Dead or overloaded, and so not asked again by this call.
    barred: Tried,
    attempts: u32,
    /// Those of the attempts that the budget paid for.
    retries: u32,
    /// Retries and hedges, which are what is numbered on the wire.
    further: u8,
    step: Step,
    /// One of the attempts may have run.
    may_have_run: bool,
    /// The earliest that an overloaded endpoint wants to be asked again.
    pushback: Option<Duration>,
    /// What the call fails with, if nothing better comes.
    failure: Option<Status>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// An endpoint that was not tried yet, for free.
    Other,
    /// An endpoint that was not tried yet, as a retry.
    RetryOther,
    /// A pause and a retry.
    RetryLater,
    /// A retry that is paid for.
    Retry,
}

impl<'a, E: Endpoints> Course<'a, E> {
    pub(super) fn new(
        config: &'a Failover,
        endpoints: &'a E,
        request: &'a Request,
        budget: &'a Budget,
    ) -> Self {
        Self {
            config,
            endpoints,
            request,
            budget,
            tried: Tried::new(),
            barred: Tried::new(),
            attempts: 0,
            retries: 0,
            further: 0,
            step: Step::Other,
            may_have_run: false,
            pushback: None,
            failure: None,
        }
    }

    /// Notes an attempt that somebody else makes.
    pub(super) fn began(&mut self, endpoint: usize) {
        self.attempts += 1;
        self.tried.insert(endpoint);
    }

    /// Notes that the next attempt is a hedge.
    pub(super) fn hedges(&mut self) {
        self.endpoints.note(Event::Hedge);
        self.further = self.further.saturating_add(1);
    }

    pub(super) fn endpoints(&self) -> &'a E {
        self.endpoints
    }

    pub(super) fn request(&self) -> &'a Request {
        self.request
    }

    /// The request as it goes out again: numbered, and marked as a retry, which nobody further down retries.
    pub(super) fn marked(&self) -> Request {
        let mut marked = self.request.clone();
        marked.attempt.number = marked.attempt.number.saturating_add(self.further);
        marked.attempt.retry = true;
        marked
    }

    /// An endpoint that was not tried.
    pub(super) fn untried(&self) -> Option<usize> {
        self.endpoints.pick(self.request, &self.tried)
    }

    /// An endpoint that may have the attempt that failed last, for free.
    pub(super) fn other(&self) -> Option<usize> {
        let goes_on = self.step == Step::Other && !self.request.deadline().has_passed();
        goes_on.then(|| self.untried()).flatten()
    }

    /// Makes an attempt. `None` when it took too long and another is to take its place.
    pub(super) async fn attempt(&mut self, endpoint: usize) -> Option<Result<Response, Status>> {
        self.began(endpoint);
        let marked;
        let request = if self.further == 0 {
            self.request
        } else {
            marked = self.marked();
            &marked
        };
        let running = attempt(self.endpoints, endpoint, request);
        let limit = match self.config.attempt_timeout {
            Some(limit) if request.route().idempotent() => limit,
            _ => return Some(running.await),
        };
        let mut running = pin!(running);
        if let Ok(answer) = timeout(limit, running.as_mut()).await {
            return Some(answer);
        }
        if self.pay().is_err() {
            return Some(running.await);
        }
        let late = Status::deadline_exceeded(format!("no answer within {limit:?}"));
        self.may_have_run = true;
        self.failure = Some(late);
        self.step = Step::Retry;
        None
    }

    /// Notes that an attempt failed.
    ///
    /// # Errors
    ///
    /// The status of the call, when nothing may follow.
    pub(super) fn failed(&mut self, endpoint: usize, status: Status) -> Result<(), Status> {
        let verdict = Verdict::of(&status, self.request);
        self.may_have_run |= !status.never_ran();
        self.step = match verdict {
            Verdict::Final => return Err(self.last(status)),
            Verdict::Dead => Step::Other,
            Verdict::Refused => Step::RetryOther,
            Verdict::Broken => Step::RetryLater,
        };
        if verdict == Verdict::Refused {
            self.pushback = [self.pushback, status.pushback()]
                .into_iter()
                .flatten()
                .min();
        }
        if verdict != Verdict::Broken {
            self.barred.insert(endpoint);
        }
        // That an endpoint is dead says less than what happened at one that is not.
        if verdict != Verdict::Dead || self.failure.is_none() {
            self.failure = Some(status);
        }
        Ok(())
    }

    /// The endpoint of the next attempt, once it is time for it. Cancel safe.
    ///
    /// # Errors
    ///
    /// The status of the call, when there is none.
    pub(super) async fn next(&mut self) -> Result<usize, Status> {
        if self.request.deadline().has_passed() {
            return Err(self.give_up(NO_TIME));
        }
        match self.step {
            Step::Other => {
                if let Some(endpoint) = self.untried() {
                    return Ok(endpoint);
                }
            }
            Step::RetryOther if self.tried.len() < self.endpoints.count() => {
                self.pay().map_err(|why| self.give_up(why))?;
                return self.pick_again();
            }
            Step::Retry => return self.pick_again(),
            Step::RetryOther | Step::RetryLater => {}
        }
        if self.tried == self.barred {
            return Err(self.give_up(""));
        }
        let pause = self.config.pause(self.retries, fastrand::f64());
        if pause >= self.request.deadline().remaining() {
            return Err(self.give_up(NO_TIME));
        }
        self.pay().map_err(|why| self.give_up(why))?;
        sleep(pause).await;
        self.pick_again()
    }

    /// An endpoint that was not tried, or else one that was and may be again.
    fn pick_again(&mut self) -> Result<usize, Status> {
        let picked = self.untried().or_else(|| {
            self.tried = self.barred.clone();
            self.untried()
        });
        picked.ok_or_else(|| self.give_up(""))
    }

    /// Takes a retry from the budget, or says why not.
    fn pay(&mut self) -> Result<(), &'static str> {
        if self.request.attempt.retry {
            return Err("a retry is not retried");
        }
        if self.retries >= self.config.retries {
            return Err("");
        }
        if !self.budget.withdraw(Instant::now()) {
            self.endpoints.note(Event::BudgetEmpty);
            return Err("the retry budget is empty");
        }
        self.endpoints.note(Event::Retry);
        self.retries += 1;
        self.further = self.further.saturating_add(1);
        Ok(())
    }

    /// The status of a call that is not tried again, and why it is not.
    fn give_up(&mut self, why: &str) -> Status {
        let Some(mut status) = self.failure.take() else {
            return nobody(self.endpoints, self.request);
        };
        if let (Code::ResourceExhausted, Some(pushback)) = (status.code(), self.pushback) {
            status = status.with_pushback(pushback);
        }
        status = self.in_all(status);
        match (self.attempts, why) {
            (0 | 1, "") => status,
            (0 | 1, why) => status.context(why),
            (attempts, "") => status.context(format_args!("after {attempts} attempts")),
            (attempts, why) => status.context(format_args!("after {attempts} attempts, {why}")),
        }
    }

    /// The status of the last attempt as that of the whole call.
    fn last(&self, status: Status) -> Status {
        let status = self.in_all(status);
        // What a handler said is passed on as it said it.
        if self.attempts > 1 && status.code() == Code::DeadlineExceeded {
            return status.context(format_args!("after {} attempts", self.attempts));
        }
        status
    }

    fn in_all(&self, status: Status) -> Status {
        let never_ran = status.never_ran() && !self.may_have_run;
        status.with_never_ran(never_ran)
    }
}

const NO_TIME: &str = "no time is left for another";
