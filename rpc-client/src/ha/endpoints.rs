use std::{future::Future, pin::pin};

use doge_base::Env;
use doge_rpc_core::{
    Status,
    call::{Request, Response},
    transport::Address,
};
use tokio::time::Instant;

use super::Tried;
use crate::{
    channel::ConnectWait,
    in_place::{InPlace, until_deadline},
    late::{WaitedFor, late},
};

/// The endpoints of one call, by index: what a strategy runs over. A cluster implements it over one snapshot, so that
/// an index means the same endpoint throughout the call.
pub(crate) trait Endpoints: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The endpoint that the call should go to, never one that was tried; `None` when there is no other.
    fn pick(&self, request: &Request, tried: &Tried) -> Option<Pick>;

    /// Whether [`pick`](Self::pick) would find an endpoint that is not known to be out of reach. Takes no turn of a
    /// balancer: for a call that may not go there after all.
    fn has_up(&self, tried: &Tried) -> bool;

    /// The endpoint that a hedge may go to, never one that was tried: only one that a first attempt would have gone
    /// to, for the call is on its way already and a hedge must not make it fail; `None` when there is none.
    fn pick_for_hedge(&self, request: &Request, tried: &Tried) -> Option<usize> {
        let picked = self.pick(request, tried).filter(|picked| !picked.is_down());
        picked.map(|picked| picked.endpoint)
    }

    /// Makes one attempt, which waits so long for a connection. Dropping the future cancels it.
    fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
        wait: ConnectWait,
    ) -> impl Future<Output = Result<Response, Status>> + Send;

    /// Where it is, for people.
    fn address(&self, endpoint: usize) -> Option<&Address>;

    /// Says that an attempt there was given up because it took too long.
    fn timed_out(&self, endpoint: usize);

    /// When the call began.
    fn began(&self) -> Instant;

    /// Counts what happened.
    fn note(&self, event: Event);

    /// Where chance comes from.
    fn env(&self) -> &Env;

    /// Whether attempts end by the deadline of the call on their own, as those of a bare channel do; it saves each
    /// call a timer.
    fn keeps_deadline(&self) -> bool {
        false
    }
}

/// An endpoint that a call should go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) endpoint: usize,
    pub(crate) reach: Reach,
}

/// How far an endpoint is that was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// There is a connection.
    Connected,
    /// There is none, nor to any other endpoint that is left, and it may be made.
    Connecting,
    /// It is known to be out of reach, as are all others that are left.
    Down,
}

impl Pick {
    pub(crate) fn new(endpoint: usize, reach: Reach) -> Self {
        Self { endpoint, reach }
    }

    pub(crate) fn is_down(self) -> bool {
        self.reach == Reach::Down
    }
}

/// What a strategy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A retry was taken from the budget; it begins at once or after a pause.
    Retry,
    /// A hedge was begun; its attempt is counted besides.
    Hedge,
    /// The answer of a hedge was the first.
    HedgeWon,
    /// A retry or a hedge that was due did not happen, for nothing was left in the budget, or of the ratio of hedges.
    BudgetEmpty,
}

/// Makes one attempt, which ends by the deadline of the call whatever the endpoint does. Cancel safe: dropping it
/// cancels the attempt.
pub(super) async fn attempt<E: Endpoints>(
    endpoints: &E,
    endpoint: usize,
    request: &Request,
    wait: ConnectWait,
) -> Result<Response, Status> {
    if endpoints.keeps_deadline() {
        return endpoints.attempt(endpoint, request, wait).await;
    }
    // Behind layers, which allocate as well. In a box, it does not make the future of every call larger.
    Box::pin(attempt_until_deadline(endpoints, endpoint, request, wait)).await
}

async fn attempt_until_deadline<E: Endpoints>(
    endpoints: &E,
    endpoint: usize,
    request: &Request,
    wait: ConnectWait,
) -> Result<Response, Status> {
    let running = pin!(Some(endpoints.attempt(endpoint, request, wait)));
    let deadline = request.deadline().instant();
    let ended = until_deadline(deadline, InPlace::new(running)).await;
    ended.unwrap_or_else(|| {
        let address = endpoints.address(endpoint);
        Err(late(request, address, WaitedFor::Answer, endpoints.began()))
    })
}

/// How long an attempt waits for a connection when so many endpoints are not asked again: if there is another one, it
/// must not use up the time of that.
pub(super) fn connect_wait<E: Endpoints>(endpoints: &E, barred: usize) -> ConnectWait {
    ConnectWait::of_attempt(barred + 1 >= endpoints.count())
}

/// The endpoint of a first attempt.
pub(super) fn first<E: Endpoints>(endpoints: &E, request: &Request) -> Result<Pick, Status> {
    let picked = endpoints.pick(request, &Tried::new());
    picked.ok_or_else(|| nobody(endpoints, request))
}

/// The status of a call for which no endpoint can be picked.
pub(super) fn nobody<E: Endpoints>(endpoints: &E, request: &Request) -> Status {
    let service = request.route().service();
    let why = match endpoints.count() {
        0 => format!("no instance of {service} is registered"),
        count => format!("none of {count} instances of {service} takes calls"),
    };
    Status::unavailable(why).not_sent()
}
