use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use doge_base::Env;
use doge_rpc_core::{
    Deadline, Status,
    call::{CancelReason, Cancellation, Request, Response, Route},
    schema::MethodSchema,
    transport::Address,
};
use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use crate::{
    balance::{Balancer, Balancing, EndpointLoad, LoadBalancing, Nearness},
    channel::ConnectWait,
    ha::{Budget, Endpoints, Event, Pick, Plan, Reach, RetryBudget, Strategy, Tried},
};

/// Endpoints that do as told. A pick is the first that was not tried, unless a balancer picks.
pub(super) struct Fake {
    scripts: Vec<Mutex<VecDeque<Act>>>,
    made: Instant,
    seen: Arc<Mutex<Vec<Seen>>>,
    given_up: Arc<Mutex<GivenUp>>,
    acts: Mutex<Vec<Act>>,
    events: Mutex<Vec<Event>>,
    pub(super) keeps_deadline: bool,
    /// Endpoints from this one on are known to be out of reach.
    pub(super) down_from: usize,
    /// Endpoints that no hedge may go to.
    pub(super) no_hedges: Vec<usize>,
    balancer: Option<Balancer>,
    wait: Mutex<Vec<ConnectWait>>,
    timed_out: Mutex<Vec<usize>>,
    pub(super) budget: Budget,
}

/// What an endpoint does with an attempt.
#[derive(Clone, Debug)]
pub(super) struct Act {
    after: Duration,
    answer: Result<Response, Status>,
}

/// An attempt; times in milliseconds since the fake was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) endpoint: usize,
    pub(super) begun: u64,
    pub(super) number: u8,
    pub(super) retry: bool,
    pub(super) end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Answered(u64),
    Dropped(u64),
}

/// Attempts that were given up: the endpoint, and the reason that the server would have been told.
type GivenUp = Vec<(usize, CancelReason)>;

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An answer after so many milliseconds.
pub(super) fn ok(after: u64) -> Act {
    let answer = Ok(Response::from_result(Bytes::from_static(b"\x01")));
    let after = ms(after);
    Act { after, answer }
}

/// An error of the application.
pub(super) fn application_error(after: u64) -> Act {
    let answer = Ok(Response::from_error(Bytes::from_static(b"\x02")));
    let after = ms(after);
    Act { after, answer }
}

pub(super) fn fails(after: u64, status: Status) -> Act {
    let (after, answer) = (ms(after), Err(status));
    Act { after, answer }
}

/// Cannot be reached.
pub(super) fn dead(after: u64) -> Act {
    fails(after, Status::unavailable("no connection").not_sent())
}

/// Has too much to do.
pub(super) fn refused(pushback: u64) -> Act {
    let status = Status::resource_exhausted("too much to do").rejected();
    fails(0, status.with_pushback(ms(pushback)))
}

/// Breaks off, and may have run.
pub(super) fn broken(after: u64) -> Act {
    fails(after, Status::unavailable("the connection was lost"))
}

/// Says nothing, not even at the deadline.
pub(super) fn silent() -> Act {
    ok(3_600_000)
}

impl Act {
    pub(super) fn answer(&self) -> &Result<Response, Status> {
        &self.answer
    }
}

impl Fake {
    /// One script for each endpoint; the last act of each goes on for ever.
    pub(super) fn new(scripts: impl IntoIterator<Item = impl Into<VecDeque<Act>>>) -> Self {
        let scripts = scripts.into_iter().map(|script| Mutex::new(script.into()));
        Self {
            scripts: scripts.collect(),
            made: Instant::now(),
            seen: Arc::default(),
            given_up: Arc::default(),
            acts: Mutex::default(),
            events: Mutex::default(),
            keeps_deadline: false,
            down_from: usize::MAX,
            no_hedges: Vec::new(),
            balancer: None,
            wait: Mutex::default(),
            timed_out: Mutex::default(),
            budget: Budget::new(&RetryBudget::default(), Instant::now()),
        }
    }

    pub(super) fn with_budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Budget::new(budget, Instant::now());
        self
    }

    /// The same, picked by this policy.
    pub(super) fn balanced(mut self, policy: LoadBalancing) -> Self {
        let load =
            |number| EndpointLoad::new(&format!("fake:{number}"), 100, self.made, &Env::system());
        let loads = (0..self.count()).map(|number| (Arc::new(load(number)), Nearness::Far));
        let balancing = Balancing {
            policy,
            slow_start: None,
            ..Balancing::default()
        };
        self.balancer = Some(Balancer::new(
            &balancing,
            loads.collect(),
            self.made,
            &Env::system(),
        ));
        self
    }

    pub(super) async fn run(
        &self,
        strategy: Strategy,
        request: &Request,
    ) -> Result<Response, Status> {
        self.call(&Plan::new(strategy), request).await
    }

    /// A call as a cluster makes it.
    pub(super) async fn call(&self, plan: &Plan, request: &Request) -> Result<Response, Status> {
        plan.begin(request, &self.budget, Instant::now());
        let answer = plan.run(self, request, &self.budget).await;
        answer.or_else(|status| plan.answer_for(request, status))
    }

    /// Endpoints whose attempts were given up because they took too long.
    pub(super) fn timed_out_at(&self) -> Vec<usize> {
        self.timed_out.lock().clone()
    }

    /// Milliseconds since it was made.
    pub(super) fn now(&self) -> u64 {
        self.made.elapsed().as_millis() as u64
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().clone()
    }

    pub(super) fn given_up(&self) -> GivenUp {
        self.given_up.lock().clone()
    }

    /// What the endpoints did, or would have done if they had been let, in the order of [`seen`](Self::seen).
    pub(super) fn acts(&self) -> Vec<Act> {
        self.acts.lock().clone()
    }

    /// The endpoints of all attempts, in order.
    pub(super) fn went_to(&self) -> Vec<usize> {
        self.seen().iter().map(|seen| seen.endpoint).collect()
    }

    /// How many attempts each endpoint had.
    pub(super) fn attempts(&self) -> Vec<usize> {
        let went_to = self.went_to();
        let of = |endpoint| went_to.iter().filter(|to| **to == endpoint).count();
        (0..self.count()).map(of).collect()
    }

    /// For each attempt, in order, whether it may use up the time of the call for a connection.
    pub(super) fn were_patient(&self) -> Vec<bool> {
        let seen = self.wait.lock();
        let patient = |wait: &ConnectWait| matches!(wait, ConnectWait::UntilDeadline { .. });
        seen.iter().map(patient).collect()
    }

    pub(super) fn count_of(&self, event: Event) -> usize {
        let events = self.events.lock();
        events.iter().filter(|seen| **seen == event).count()
    }

    /// Attempts that have not ended.
    pub(super) fn running(&self) -> usize {
        self.seen().iter().filter(|seen| seen.end.is_none()).count()
    }

    fn next_act(&self, endpoint: usize) -> Act {
        let mut script = self.scripts[endpoint].lock();
        let act = match script.len() {
            1 => script[0].clone(),
            _ => script.pop_front().unwrap(),
        };
        self.acts.lock().push(act.clone());
        act
    }
}

impl Endpoints for Fake {
    fn env(&self) -> &Env {
        static ENV: Env = Env::system();
        &ENV
    }

    fn count(&self) -> usize {
        self.scripts.len()
    }

    fn pick(&self, _: &Request, tried: &Tried) -> Option<Pick> {
        let untried = |endpoint: &usize| !tried.contains(*endpoint);
        let picked = match &self.balancer {
            Some(balancer) => balancer.pick(Instant::now(), None, |endpoint| untried(&endpoint)),
            None => (0..self.count()).find(untried),
        };
        picked.map(|endpoint| {
            let is_down = endpoint >= self.down_from;
            let reach = if is_down {
                Reach::Down
            } else {
                Reach::Connected
            };
            Pick::new(endpoint, reach)
        })
    }

    fn has_up(&self, tried: &Tried) -> bool {
        let mut up = 0..self.count().min(self.down_from);
        up.any(|endpoint| !tried.contains(endpoint))
    }

    fn pick_for_hedge(&self, request: &Request, tried: &Tried) -> Option<usize> {
        let mut tried = tried.clone();
        tried.extend(self.no_hedges.iter().copied());
        let picked = self.pick(request, &tried);
        picked.map(|picked| picked.endpoint)
    }

    async fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
        wait: ConnectWait,
    ) -> Result<Response, Status> {
        self.wait.lock().push(wait);
        let act = self.next_act(endpoint);
        let mut running = Running::new(self, endpoint, request);
        if !act.after.is_zero() {
            sleep(act.after).await;
        }
        running.answered = true;
        act.answer
    }

    fn address(&self, _: usize) -> Option<&Address> {
        static ADDRESS: LazyLock<Address> = LazyLock::new(|| "memory://fake".parse().unwrap());
        Some(&ADDRESS)
    }

    fn timed_out(&self, endpoint: usize) {
        self.timed_out.lock().push(endpoint);
    }

    fn began(&self) -> Instant {
        self.made
    }

    fn note(&self, event: Event) {
        self.events.lock().push(event);
    }

    fn keeps_deadline(&self) -> bool {
        self.keeps_deadline
    }
}

/// Notes how an attempt ended, however that is.
struct Running {
    seen: Arc<Mutex<Vec<Seen>>>,
    given_up: Arc<Mutex<GivenUp>>,
    made: Instant,
    index: usize,
    answered: bool,
}

impl Running {
    fn new(fake: &Fake, endpoint: usize, request: &Request) -> Self {
        let mut seen = fake.seen.lock();
        seen.push(Seen {
            endpoint,
            begun: fake.now(),
            number: request.attempt().number,
            retry: request.attempt().retry,
            end: None,
        });
        Self {
            seen: Arc::clone(&fake.seen),
            given_up: Arc::clone(&fake.given_up),
            made: fake.made,
            index: seen.len() - 1,
            answered: false,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let now = self.made.elapsed().as_millis() as u64;
        let mut seen = self.seen.lock();
        let seen = &mut seen[self.index];
        seen.end = Some(if self.answered {
            End::Answered(now)
        } else {
            let reason = Cancellation::current().reason();
            self.given_up.lock().push((seen.endpoint, reason));
            End::Dropped(now)
        });
    }
}

/// A call of an idempotent method, with a deadline of 1 s.
pub(super) fn idempotent() -> Request {
    static METHOD: MethodSchema = MethodSchema::new("fake", "get", 0).with_idempotent();
    request(Route::from(&METHOD), 1_000)
}

/// A call of a method that is not idempotent, with a deadline of 1 s.
pub(super) fn once() -> Request {
    static METHOD: MethodSchema = MethodSchema::new("fake", "add", 1);
    request(Route::from(&METHOD), 1_000)
}

/// The same call with another deadline.
pub(super) fn within(millis: u64, like: &Request) -> Request {
    request(like.route().clone(), millis)
}

/// The same call, made by one that is a retry already.
pub(super) fn inside_a_retry(mut like: Request) -> Request {
    like.attempt_mut().retry = true;
    like
}

fn request(route: Route, millis: u64) -> Request {
    Request::new(
        route,
        Bytes::from_static(b"\x90"),
        Deadline::after(ms(millis)),
    )
}
