use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{Endpoints, Failsafe, failfast};

/// One attempt; a failure is logged, and answered. Cancel safe: dropping it cancels the attempt.
pub(super) async fn run<E: Endpoints>(
    config: &Failsafe,
    endpoints: &E,
    request: &Request,
) -> Result<Response, Status> {
    failfast::run(endpoints, request).await.or_else(|status| {
        tracing::warn!(method = %request.route(), %status, "a call failed and was answered for");
        Ok(Response::from_result(config.answer.clone()))
    })
}
