use std::future::Future;

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::timeout_at;

use super::Tried;

/// The endpoints of one call, by index: what a strategy runs over. A cluster implements it over one snapshot, so that
/// an index means the same endpoint throughout the call.
pub(crate) trait Endpoints: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The endpoint that the call should go to, never one that was tried; `None` when there is no other.
    fn pick(&self, request: &Request, tried: &Tried) -> Option<usize>;

    /// Makes one attempt. Dropping the future cancels it.
    fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
    ) -> impl Future<Output = Result<Response, Status>> + Send;

    /// Counts what happened.
    fn note(&self, event: Event);

    /// Whether attempts end by the deadline of the call on their own, as those of a bare channel do; it saves each
    /// call a timer.
    fn keeps_deadline(&self) -> bool {
        false
    }
}

/// What a strategy did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// An attempt began: the first, a further one, a retry, a hedge.
    Attempt,
    /// A retry was taken from the budget; it begins at once or after a pause.
    Retry,
    /// A hedge was begun; its attempt is counted besides.
    Hedge,
    /// The answer of a hedge was the first.
    HedgeWon,
    /// A retry did not happen, for there was nothing left in the budget.
    BudgetEmpty,
}

/// Makes one attempt, which ends by the deadline of the call whatever the endpoint does. Cancel safe: dropping it
/// cancels the attempt.
pub(super) async fn attempt<E: Endpoints>(
    endpoints: &E,
    endpoint: usize,
    request: &Request,
) -> Result<Response, Status> {
    endpoints.note(Event::Attempt);
    if endpoints.keeps_deadline() {
        return endpoints.attempt(endpoint, request).await;
    }
    let deadline = request.deadline().instant();
    match timeout_at(deadline, endpoints.attempt(endpoint, request)).await {
        Ok(answer) => answer,
        Err(_) => Err(Status::deadline_exceeded("no answer before the deadline")),
    }
}

/// The status of a call for which no endpoint can be picked.
pub(super) fn nobody<E: Endpoints>(endpoints: &E, request: &Request) -> Status {
    let service = request.route().service();
    let why = match endpoints.count() {
        0 => format!("no instance of {service} is registered"),
        count => format!("none of {count} instances of {service} takes calls"),
    };
    Status::unavailable(why).with_never_ran(true)
}
