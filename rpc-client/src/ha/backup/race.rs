use std::{
    borrow::Cow,
    future::{Future, pending},
    pin::{Pin, pin},
};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::{Instant, sleep_until};

use super::Backup;
use crate::ha::{Endpoints, Event, course::Course, endpoints::attempt, failover};

/// A call whose first attempt takes long, or failed: the first attempt and the hedge, until one has an answer.
pub(super) struct Race<'a, E> {
    backup: &'a Backup,
    course: Course<'a, E>,
    /// When the hedge begins.
    hedge_at: Instant,
    first: Option<Running<'a>>,
    hedge: Option<Running<'a>>,
}

/// An attempt under way.
struct Running<'a> {
    endpoint: usize,
    begun: Instant,
    answer: Pin<Box<dyn Future<Output = Result<Response, Status>> + Send + 'a>>,
}

impl<'a, E: Endpoints> Race<'a, E> {
    pub(super) fn new(backup: &'a Backup, course: Course<'a, E>, hedge_at: Instant) -> Self {
        Self {
            backup,
            course,
            hedge_at,
            first: None,
            hedge: None,
        }
    }

    /// The first attempt is out since `begun`.
    pub(super) fn first_runs(
        mut self,
        endpoint: usize,
        answer: impl Future<Output = Result<Response, Status>> + Send + 'a,
        begun: Instant,
    ) -> Self {
        self.course.began(endpoint);
        self.first = Some(Running {
            endpoint,
            begun,
            answer: Box::pin(answer),
        });
        self
    }

    /// The first attempt failed before the hedge was due.
    ///
    /// # Errors
    ///
    /// The status of the call, when nothing may follow.
    pub(super) fn first_failed(mut self, endpoint: usize, status: Status) -> Result<Self, Status> {
        self.course.began(endpoint);
        self.course.failed(endpoint, status)?;
        self.pass_first_on();
        Ok(self)
    }

    /// Begins the first attempt anew elsewhere, if that is free.
    fn pass_first_on(&mut self) {
        if let Some(endpoint) = self.course.other() {
            self.first = Some(self.begin(endpoint, Cow::Borrowed(self.course.request())));
        }
    }

    /// Until there is an answer. A failed attempt leaves the other one running; when both have failed, the call goes
    /// on as failover has it. Cancel safe: dropping it cancels both.
    pub(super) async fn run(mut self) -> Result<Response, Status> {
        let mut timer = pin!(sleep_until(self.hedge_at));
        let mut due = false;
        while self.first.is_some() || self.hedge.is_some() {
            tokio::select! {
                biased;
                answer = answer_of(&mut self.first) => {
                    let Some(ended) = self.first.take() else { continue };
                    self.backup.learn(ended.begun, &answer);
                    match answer {
                        Ok(response) => return Ok(response),
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
                    if let Some(endpoint) = self.course.other() {
                        self.hedge = Some(self.begin_hedge(endpoint));
                    }
                }
                () = timer.as_mut(), if !due => {
                    due = true;
                    if let Some(endpoint) = self.course.untried() && self.backup.credit.spend() {
                        self.course.hedges();
                        self.hedge = Some(self.begin_hedge(endpoint));
                    }
                }
            }
        }
        failover::follow(self.course, None).await
    }

    /// Notes that one failed. When that ends the call, the other one, which is given up, may have run.
    fn failed(&mut self, endpoint: usize, status: Status) -> Result<(), Status> {
        let alone = self.first.is_none() && self.hedge.is_none();
        self.course.failed(endpoint, status).map_err(|status| {
            let never_ran = status.never_ran() && alone;
            status.with_never_ran(never_ran)
        })
    }

    fn begin_hedge(&mut self, endpoint: usize) -> Running<'a> {
        self.begin(endpoint, Cow::Owned(self.course.marked()))
    }

    fn begin(&mut self, endpoint: usize, request: Cow<'a, Request>) -> Running<'a> {
        self.course.began(endpoint);
        let endpoints = self.course.endpoints();
        Running {
            endpoint,
            begun: Instant::now(),
            answer: Box::pin(async move { attempt(endpoints, endpoint, &request).await }),
        }
    }

    fn won(&self, response: Response) -> Response {
        self.course.endpoints().note(Event::HedgeWon);
        if let Some(first) = &self.first {
            self.backup.learn_lost(first.begun);
        }
        response
    }
}

async fn answer_of(running: &mut Option<Running<'_>>) -> Result<Response, Status> {
    match running {
        Some(running) => running.answer.as_mut().await,
        None => pending().await,
    }
}
