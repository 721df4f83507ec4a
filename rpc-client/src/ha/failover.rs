use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{
    Budget, Endpoints, Failover, Pick,
    endpoints::{attempt, connect_wait, first},
    retry_state::RetryState,
};
use crate::status_tables::RetryDecision;

/// Attempts until one is final. A first attempt that is costs nothing on top. Cancel safe: dropping it cancels the
/// attempt under way.
pub(super) async fn run<E: Endpoints>(
    config: &Failover,
    endpoints: &E,
    request: &Request,
    budget: &Budget,
) -> Result<Response, Status> {
    let picked = first(endpoints, request)?;
    // What comes after a failure is large and rare: it does not make the future of every call larger.
    if config.attempt_timeout.is_some() {
        let state = RetryState::new(config, endpoints, request, budget);
        return Box::pin(follow(state, Some(picked))).await;
    }
    let wait = connect_wait(endpoints, 0);
    match attempt(endpoints, picked.endpoint, request, wait).await {
        Err(status) if goes_on(config, request, &status) => {
            Box::pin(go_on(config, endpoints, request, budget, picked, status)).await
        }
        answer => answer,
    }
}

/// Whether something may follow a first attempt that ended with this status.
pub(super) fn goes_on(config: &Failover, request: &Request, status: &Status) -> bool {
    !RetryDecision::of(status, request, config).ends()
}

/// Goes on after a first attempt that failed.
pub(super) async fn go_on<E: Endpoints>(
    config: &Failover,
    endpoints: &E,
    request: &Request,
    budget: &Budget,
    first: Pick,
    status: Status,
) -> Result<Response, Status> {
    let mut state = RetryState::new(config, endpoints, request, budget);
    state.began(first);
    state.failed(first.endpoint, status)?;
    follow(state, None).await
}

/// Goes on from there, beginning at `next` or where the state says.
pub(super) async fn follow<E: Endpoints>(
    mut state: RetryState<'_, E>,
    mut next: Option<Pick>,
) -> Result<Response, Status> {
    loop {
        let picked = match next.take() {
            Some(picked) => picked,
            None => state.next().await?,
        };
        if let Some(answer) = state.attempt(picked).await {
            match answer {
                Ok(response) => return Ok(response),
                Err(status) => state.failed(picked.endpoint, status)?,
            }
        }
    }
}
