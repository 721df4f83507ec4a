use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{
    Endpoints, Tried,
    endpoints::{attempt, nobody},
};

/// One attempt, and what comes of it. Cancel safe: dropping it cancels the attempt.
pub(super) async fn run<E: Endpoints>(
    endpoints: &E,
    request: &Request,
) -> Result<Response, Status> {
    let picked = endpoints.pick(request, &Tried::new());
    let endpoint = picked.ok_or_else(|| nobody(endpoints, request))?;
    attempt(endpoints, endpoint, request).await
}
