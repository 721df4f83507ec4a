use std::{
    borrow::Cow,
    future::{Future, pending},
    pin::Pin,
};

use doge_rpc_core::{
    Status,
    call::{CancelReason, Request, Response},
};
use tokio::time::{Instant, sleep_until};

use super::Backup;
use crate::{
    ha::{Endpoints, Event, Pick, endpoints::attempt, failover, retry_state::RetryState},
    in_place::stop,
};

/// A call whose first attempt takes long, or failed: the first attempt and the hedge, until one has an answer.
pub(super) struct Race<'a, E> {
    backup: &'a Backup,
    state: RetryState<'a, E>,
    /// When the hedge begins; `None` once it did or will not.
    hedge_at: Option<Instant>,
    first: Option<Running<'a>>,
    hedge: Option<Running<'a>>,
}

/// An attempt under way.
struct Running<'a> {
    endpoint: usize,
    /// When it began, if it is a first attempt: how long that takes is what is learned.
    learns_from: Option<Instant>,
    /// When a retry takes its place; `None` when none can.
    late_at: Option<Instant>,
    answer: Pin<Box<dyn Future<Output = Result<Response, Status>> + Send + 'a>>,
}

impl<'a, E: Endpoints> Race<'a, E> {
    pub(super) fn new(backup: &'a Backup, state: RetryState<'a, E>, hedge_at: Instant) -> Self {
        Self {
            backup,
            state,
            hedge_at: Some(hedge_at),
            first: None,
            hedge: None,
        }
    }

    /// The first attempt is out since `begun`.
    pub(super) fn first_runs(
        mut self,
        picked: Pick,
        answer: impl Future<Output = Result<Response, Status>> + Send + 'a,
        begun: Instant,
    ) -> Self {
        self.state.began(picked);
        self.first = Some(self.running(picked, begun, answer));
        self
    }

    /// The first attempt failed before the hedge was due.
    ///
    /// # Errors
    ///
    /// The status of the call, when nothing may follow.
    pub(super) fn first_failed(mut self, picked: Pick, status: Status) -> Result<Self, Status> {
        self.state.began(picked);
        self.state.failed(picked.endpoint, status)?;
        self.pass_first_on();
        Ok(self)
    }

    /// Begins the first attempt anew elsewhere, if that is free.
    fn pass_first_on(&mut self) {
        if let Some(picked) = self.state.other() {
            self.first = Some(self.begin(picked, Cow::Borrowed(self.state.request())));
        }
    }

    /// Until there is an answer. A failed attempt leaves the other one running, unless what it says holds for any; when
    /// both have failed, the call goes on as failover has it. Cancel safe: dropping it cancels both.
    pub(super) async fn run(mut self) -> Result<Response, Status> {
        while self.first.is_some() || self.hedge.is_some() {
            let (hedge_at, late_at) = (self.hedge_at, self.late_at());
            tokio::select! {
                biased;
                answer = answer_of(&mut self.first) => {
                    let Some(ended) = self.first.take() else { continue };
                    self.backup.learn(ended.learns_from, &answer);
                    match answer {
                        Ok(response) => {
                            stop(self.hedge.take(), CancelReason::HedgeLost);
                            return Ok(response);
                        }
                        Err(status) => self.failed(ended.endpoint, status)?,
                    }
                    self.pass_first_on();
                }
                answer = answer_of(&mut self.hedge) => {
                    let Some(ended) = self.hedge.take() else { continue };
                    match answer {
                        Ok(response) => return Ok(self.won(response)),
                        Err(status) => self.failed(ended.endpoint, status)?,
                    }
                    if self.state.goes_on() && let Some(picked) = self.state.for_hedge() {
                        self.hedge = Some(self.begin_marked(picked));
                    }
                }
                () = at(late_at) => self.replace_late(),
                () = at(hedge_at) => self.begin_hedge(),
            }
        }
        failover::follow(self.state, None).await
    }

    /// Notes that one failed.
    fn failed(&mut self, endpoint: usize, status: Status) -> Result<(), Status> {
        if self.first.is_none() && self.hedge.is_none() {
            self.state.failed(endpoint, status)
        } else {
            let noted = self.state.failed_beside(endpoint, status);
            if noted.is_err() {
                stop(
                    (self.first.take(), self.hedge.take()),
                    CancelReason::HedgeLost,
                );
            }
            noted
        }
    }

    fn begin_hedge(&mut self) {
        self.hedge_at = None;
        // A pick takes a turn of the balancer, so the credit comes first.
        if !self.backup.credit.spend() {
            if self.state.may_hedge() {
                self.state.endpoints().note(Event::BudgetEmpty);
            }
            return;
        }
        match self.state.for_hedge() {
            Some(picked) => {
                self.state.hedges();
                self.hedge = Some(self.begin_marked(picked));
            }
            None => self.backup.credit.give_back(),
        }
    }

    /// When the next of the two has taken too long.
    fn late_at(&self) -> Option<Instant> {
        let both = [&self.first, &self.hedge].into_iter().flatten();
        both.filter_map(|running| running.late_at).min()
    }

    /// Begins a retry in the place of one that has taken too long, or lets it go on if there can be no retry.
    fn replace_late(&mut self) {
        let now = Instant::now();
        if let Some(first) = &mut self.first
            && first.is_late(now)
        {
            let beside = self.hedge.as_ref().map(|hedge| hedge.endpoint);
            let Some(picked) = self.state.instead(first.endpoint, beside) else {
                first.late_at = None;
                return;
            };
            self.backup.learn_lost(first.learns_from);
            // A retry is not hedged.
            self.hedge_at = None;
            stop(self.first.take(), CancelReason::AttemptTimeout);
            self.first = Some(self.begin_marked(picked));
        } else if let Some(hedge) = &mut self.hedge
            && hedge.is_late(now)
        {
            let beside = self.first.as_ref().map(|first| first.endpoint);
            let Some(picked) = self.state.instead(hedge.endpoint, beside) else {
                hedge.late_at = None;
                return;
            };
            stop(self.hedge.take(), CancelReason::AttemptTimeout);
            self.hedge = Some(self.begin_marked(picked));
        }
    }

    /// Begins a hedge or a retry.
    fn begin_marked(&mut self, picked: Pick) -> Running<'a> {
        let request = Cow::Owned(self.state.marked());
        Running {
            learns_from: None,
            ..self.begin(picked, request)
        }
    }

    fn begin(&mut self, picked: Pick, request: Cow<'a, Request>) -> Running<'a> {
        let (endpoints, wait) = (self.state.endpoints(), self.state.connect_wait());
        self.state.began(picked);
        let answer = async move { attempt(endpoints, picked.endpoint, &request, wait).await };
        self.running(picked, Instant::now(), answer)
    }

    fn running(
        &self,
        picked: Pick,
        begun: Instant,
        answer: impl Future<Output = Result<Response, Status>> + Send + 'a,
    ) -> Running<'a> {
        let limit = self.state.attempt_limit();
        Running {
            endpoint: picked.endpoint,
            learns_from: Some(begun),
            late_at: limit.and_then(|limit| begun.checked_add(limit)),
            answer: Box::pin(answer),
        }
    }

    fn won(&mut self, response: Response) -> Response {
        self.state.endpoints().note(Event::HedgeWon);
        if let Some(first) = self.first.take() {
            self.backup.learn_lost(first.learns_from);
            stop(first, CancelReason::HedgeLost);
        }
        response
    }
}

impl Running<'_> {
    fn is_late(&self, now: Instant) -> bool {
        self.late_at.is_some_and(|late_at| late_at <= now)
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

async fn answer_of(running: &mut Option<Running<'_>>) -> Result<Response, Status> {
    match running {
        Some(running) => running.answer.as_mut().await,
        None => pending().await,
    }
}
