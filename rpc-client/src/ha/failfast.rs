use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{
    Endpoints, Tried,
    endpoints::{PATIENT, attempt, nobody},
};

/// One attempt, which has all the time of the call, and what comes of it. Cancel safe: dropping it cancels the attempt.
pub(super) async fn run<E: Endpoints>(
    endpoints: &E,
    request: &Request,
) -> Result<Response, Status> {
    let picked = endpoints.pick(request, &Tried::new());
    let picked = picked.ok_or_else(|| nobody(endpoints, request))?;
    attempt(endpoints, picked.endpoint, request, PATIENT).await
}
