use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{
    Endpoints,
    endpoints::{attempt, nobody},
};
use crate::{channel::ConnectWait, late::expired};

/// The most attempts at once.
const AT_ONCE: usize = 64;

/// One attempt at every endpoint; what came of each, in their order. Cancel safe: dropping it cancels all attempts.
pub(super) async fn run<E: Endpoints>(
    endpoints: &E,
    request: &Request,
) -> Vec<(usize, Result<Response, Status>)> {
    let start = |endpoint| async move {
        if request.deadline().has_passed() {
            let late = expired(request, endpoints.address(endpoint));
            return (endpoint, Err(late));
        }
        (
            endpoint,
            attempt(endpoints, endpoint, request, ConnectWait::UNTIL_DEADLINE).await,
        )
    };
    let mut waiting = 0..endpoints.count();
    let mut running: FuturesUnordered<_> = waiting.by_ref().take(AT_ONCE).map(start).collect();
    let mut answers = Vec::with_capacity(endpoints.count());
    while let Some(answer) = running.next().await {
        answers.push(answer);
        running.extend(waiting.next().map(start));
    }
    answers.sort_unstable_by_key(|(endpoint, _)| *endpoint);
    answers
}

/// The same, as one answer: the first that is a failure or an error of the application, or else the first.
pub(super) async fn run_as_one<E: Endpoints>(
    endpoints: &E,
    request: &Request,
) -> Result<Response, Status> {
    let answers = run(endpoints, request).await;
    let never_ran =
        |answer: &Result<Response, Status>| answer.as_ref().is_err_and(Status::never_ran);
    let none_ran = answers.iter().all(|(_, answer)| never_ran(answer));
    let (count, mut first) = (answers.len(), None);
    for (_, answer) in answers {
        match answer {
            Err(status) => {
                let status = if none_ran {
                    status
                } else {
                    status.may_have_run()
                };
                return Err(if count > 1 {
                    status.context(format_args!("at one of {count} endpoints"))
                } else {
                    status
                });
            }
            Ok(response) if response.is_application_error() => return Ok(response),
            Ok(response) => first = first.or(Some(response)),
        }
    }
    first.ok_or_else(|| nobody(endpoints, request))
}
