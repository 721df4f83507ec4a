use std::{pin::pin, time::Duration};

use doge_rpc_core::{
    Code, Status,
    call::{CancelReason, Request, Response},
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Budget, Endpoints, Event, Failover, Pick, Reach, Tried,
    endpoints::{attempt, connect_wait, nobody},
};
use crate::{
    channel::ConnectWait,
    in_place::{InPlace, stop},
    late::attempt_took_too_long,
    status_tables::{RetryDecision, has_no_such_method, more_telling, telling},
};

/// The most attempts of a call at endpoints that are known to be out of reach. Somebody has to try, for one of them may
/// be back; but not each call all of them.
const MAX_DOWN: u32 = 3;

/// The most endpoints that a call leaves because they have no such method. In a rolling upgrade others have it; but a
/// name that nobody knows must not be asked for everywhere.
const MAX_STRANGE: u32 = 2;

/// The attempts of one call: what happened, and so where it may go next.
pub(super) struct RetryState<'a, E> {
    config: &'a Failover,
    endpoints: &'a E,
    request: &'a Request,
    budget: &'a Budget,
    /// Had an attempt since the last time that all had one.
    tried: Tried,
    /// Dead or overloaded, and so not asked again by this call.
    barred: Tried,
    attempts: u32,
    /// Those of the attempts that went to endpoints known to be out of reach.
    down: u32,
    /// Those of the attempts that met nobody who has the method.
    strange: u32,
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
    /// The call has failed, unless the attempt that is still out has an answer.
    kept: Option<Status>,
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

impl<'a, E: Endpoints> RetryState<'a, E> {
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
            down: 0,
            strange: 0,
            retries: 0,
            further: 0,
            step: Step::Other,
            may_have_run: false,
            pushback: None,
            failure: None,
            kept: None,
        }
    }

    /// Notes an attempt that somebody else makes.
    pub(super) fn began(&mut self, picked: Pick) {
        self.attempts += 1;
        self.down += u32::from(picked.is_down());
        self.tried.insert(picked.endpoint);
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
        let attempt = marked.attempt_mut();
        attempt.number = attempt.number.saturating_add(self.further);
        attempt.retry = true;
        marked
    }

    /// How long the next attempt waits for a connection.
    pub(super) fn connect_wait(&self) -> ConnectWait {
        connect_wait(self.endpoints, self.barred.len())
    }

    /// An endpoint that was not tried. After a few that are known to be out of reach, no other of that kind.
    fn untried(&self) -> Option<Pick> {
        self.pick(&self.tried)
    }

    fn pick(&self, tried: &Tried) -> Option<Pick> {
        let picked = self.endpoints.pick(self.request, tried)?;
        (!picked.is_down() || self.down < MAX_DOWN).then_some(picked)
    }

    /// Whether a retry now would not go to an endpoint that is known to be out of reach.
    fn goes_where_somebody_is(&self) -> bool {
        let goes_down = self.tried.len() < self.endpoints.count() && self.down < MAX_DOWN;
        self.endpoints.has_up(&self.tried) || !goes_down && self.endpoints.has_up(&self.barred)
    }

    /// Whether there is an endpoint that a hedge might go to. Takes no turn of a balancer.
    pub(super) fn may_hedge(&self) -> bool {
        self.endpoints.has_up(&self.tried)
    }

    /// An endpoint for a hedge.
    pub(super) fn for_hedge(&self) -> Option<Pick> {
        let picked = self.endpoints.pick_for_hedge(self.request, &self.tried);
        picked.map(|endpoint| Pick::new(endpoint, Reach::Connected))
    }

    /// Whether the attempt that failed last may be made elsewhere for free.
    pub(super) fn goes_on(&self) -> bool {
        self.step == Step::Other && !self.has_failed() && !self.request.deadline().has_passed()
    }

    /// An endpoint that may have the attempt that failed last, for free.
    pub(super) fn other(&self) -> Option<Pick> {
        self.goes_on().then(|| self.untried()).flatten()
    }

    /// When an attempt that begins now has taken too long, if there is such a time.
    pub(super) fn attempt_limit(&self) -> Option<Duration> {
        let limit = self.config.attempt_timeout;
        limit.filter(|_| self.request.route().idempotent())
    }

    /// The endpoint of a retry in the place of the attempt at `late`, which takes too long, while there is one at
    /// `beside`. `None` when there can be none, and so the attempt goes on.
    pub(super) fn instead(&mut self, late: usize, beside: Option<usize>) -> Option<Pick> {
        if self.has_failed() {
            return None;
        }
        let mut tried = self.tried.clone();
        if !self.endpoints.has_up(&tried) {
            tried = self.barred.clone();
            tried.extend(beside);
        }
        // A pick takes a turn, so it comes last: what runs is not given up for an endpoint that is out of reach, nor
        // for a retry that nothing pays for.
        if !self.endpoints.has_up(&tried) || self.pay().is_err() {
            return None;
        }
        let picked = self.pick(&tried)?;
        self.tried = tried;
        self.took_too_long(late);
        Some(picked)
    }

    /// Makes an attempt. `None` when it took too long and another is to take its place.
    pub(super) async fn attempt(&mut self, picked: Pick) -> Option<Result<Response, Status>> {
        let wait = self.connect_wait();
        self.began(picked);
        let marked;
        let request = if self.further == 0 {
            self.request
        } else {
            marked = self.marked();
            &marked
        };
        let running = attempt(self.endpoints, picked.endpoint, request, wait);
        let Some(limit) = self.attempt_limit() else {
            return Some(running.await);
        };
        let place = pin!(Some(running));
        let mut running = InPlace::new(place);
        if let Ok(answer) = timeout(limit, &mut running).await {
            return Some(answer);
        }
        if !self.goes_where_somebody_is() || self.pay().is_err() {
            return Some(running.await);
        }
        stop(running, CancelReason::AttemptTimeout);
        self.took_too_long(picked.endpoint);
        self.step = Step::Retry;
        None
    }

    /// Notes that an attempt is given up for a retry.
    fn took_too_long(&mut self, endpoint: usize) {
        self.endpoints.timed_out(endpoint);
        let limit = self.config.attempt_timeout.unwrap_or_default();
        let late = attempt_took_too_long(self.request, self.endpoints.address(endpoint), limit);
        self.may_have_run = true;
        self.failure = Some(late);
    }

    /// Notes that an attempt failed while another one is out: what ends the call otherwise is kept until that is over.
    ///
    /// # Errors
    ///
    /// The status of the call, when it is that whatever the other one has to say.
    pub(super) fn failed_beside(&mut self, endpoint: usize, status: Status) -> Result<(), Status> {
        if self.decision(&status) == RetryDecision::StopUnlessHedged
            && !self.request.deadline().has_passed()
        {
            self.may_have_run |= !status.never_ran();
            self.kept = Some(status);
            return Ok(());
        }
        // The other one, which is given up, may have run.
        self.failed(endpoint, status).map_err(ran)
    }

    /// What the status of an attempt allows here. Nothing more, when too many had no such method.
    fn decision(&self, status: &Status) -> RetryDecision {
        if has_no_such_method(status) && self.strange == MAX_STRANGE {
            RetryDecision::StopUnlessHedged
        } else {
            RetryDecision::of(status, self.request, self.config)
        }
    }

    /// Whether nothing but an attempt that is out can still save the call.
    fn has_failed(&self) -> bool {
        self.kept.is_some()
    }

    /// Notes that an attempt failed.
    ///
    /// # Errors
    ///
    /// The status of the call, when nothing may follow.
    pub(super) fn failed(&mut self, endpoint: usize, status: Status) -> Result<(), Status> {
        let decision = self.decision(&status);
        self.may_have_run |= !status.never_ran();
        let kept = match decision {
            RetryDecision::Stop => None,
            _ => self.kept.take(),
        };
        if let Some(kept) = kept {
            return Err(self.last(more_telling(kept, status)));
        }
        self.step = match decision {
            RetryDecision::Stop | RetryDecision::StopUnlessHedged => return Err(self.last(status)),
            RetryDecision::TryOther => {
                self.strange += u32::from(has_no_such_method(&status));
                Step::Other
            }
            RetryDecision::RetryOther => Step::RetryOther,
            RetryDecision::RetryWithBackoff => Step::RetryLater,
        };
        if decision == RetryDecision::RetryOther {
            self.pushback = [self.pushback, status.pushback()]
                .into_iter()
                .flatten()
                .min();
        }
        if decision != RetryDecision::RetryWithBackoff {
            self.barred.insert(endpoint);
        }
        // That an endpoint is dead says less than what happened at one that is not.
        let before = self.failure.as_ref();
        if decision != RetryDecision::TryOther
            || before.is_none_or(|before| telling(before) < telling(&status))
        {
            self.failure = Some(status);
        }
        Ok(())
    }

    /// The endpoint of the next attempt, once it is time for it. Cancel safe.
    ///
    /// # Errors
    ///
    /// The status of the call, when there is none.
    pub(super) async fn next(&mut self) -> Result<Pick, Status> {
        if self.request.deadline().has_passed() {
            return Err(self.give_up(NO_TIME));
        }
        match self.step {
            Step::Other => {
                if let Some(picked) = self.untried() {
                    return Ok(picked);
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
            let all = self.tried.len() >= self.endpoints.count();
            return Err(self.give_up(if all { "" } else { OTHERS_DOWN }));
        }
        let pause = self
            .config
            .pause(self.retries, self.endpoints.env().fraction());
        if pause >= self.request.deadline().remaining() {
            return Err(self.give_up(NO_TIME));
        }
        self.pay().map_err(|why| self.give_up(why))?;
        sleep(pause).await;
        self.pick_again()
    }

    /// An endpoint that was not tried, or else one that was and may be again.
    fn pick_again(&mut self) -> Result<Pick, Status> {
        let picked = self.untried().or_else(|| {
            self.tried = self.barred.clone();
            self.untried()
        });
        picked.ok_or_else(|| self.give_up(""))
    }

    /// Takes a retry from the budget, or says why not.
    fn pay(&mut self) -> Result<(), &'static str> {
        if self.request.attempt().retry {
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
        let own = status.code() == Code::DeadlineExceeded || has_no_such_method(&status);
        if self.attempts > 1 && own {
            return status.context(format_args!("after {} attempts", self.attempts));
        }
        status
    }

    fn in_all(&self, status: Status) -> Status {
        if self.may_have_run {
            ran(status)
        } else {
            status
        }
    }
}

/// The status of a call another attempt of which may have run.
fn ran(status: Status) -> Status {
    if status.never_ran() {
        status.may_have_run()
    } else {
        status
    }
}

const OTHERS_DOWN: &str = "no other can be reached";
const NO_TIME: &str = "no time is left for another";
