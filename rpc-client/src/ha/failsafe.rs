use doge_rpc_core::{
    Status,
    call::{Request, Response},
    observe::LogThrottle,
};
use tokio::time::Instant;

use super::Failsafe;

/// The answer for a call that failed, which is logged.
pub(super) fn answer(
    config: &Failsafe,
    throttle: &LogThrottle,
    request: &Request,
    status: &Status,
) -> Response {
    if tracing::event_enabled!(target: "doge::call", tracing::Level::WARN)
        && let Some(suppressed) = throttle.admit(Instant::now())
    {
        let (method, code, error) = (request.route(), status.code(), status.message());
        tracing::warn!(
            target: "doge::call",
            %method, %code, error, suppressed,
            "call failed; returning the failsafe answer"
        );
    }
    Response::from_result(config.answer.clone())
}
