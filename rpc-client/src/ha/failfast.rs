use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{
    Endpoints,
    endpoints::{attempt, first},
};
use crate::channel::ConnectWait;

/// One attempt, which has all the time of the call, and what comes of it. Cancel safe: dropping it cancels the attempt.
pub(super) async fn run<E: Endpoints>(
    endpoints: &E,
    request: &Request,
) -> Result<Response, Status> {
    let picked = first(endpoints, request)?;
    attempt(
        endpoints,
        picked.endpoint,
        request,
        ConnectWait::UNTIL_DEADLINE,
    )
    .await
}
