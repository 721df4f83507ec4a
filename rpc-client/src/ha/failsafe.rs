use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::Failsafe;

/// The answer for a call that failed, which is logged.
pub(super) fn answer(config: &Failsafe, request: &Request, status: &Status) -> Response {
    tracing::warn!(method = %request.route(), %status, "a call failed and was answered for");
    Response::from_result(config.answer.clone())
}
