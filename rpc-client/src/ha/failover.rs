use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{
    Budget, Endpoints, Failover, Pick,
    course::Course,
    endpoints::{attempt, first, patience},
    verdict::Verdict,
};

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
        let course = Course::new(config, endpoints, request, budget);
        return Box::pin(follow(course, Some(picked))).await;
    }
    let patience = patience(endpoints, 0);
    let status = match attempt(endpoints, picked.endpoint, request, patience).await {
        Ok(response) => return Ok(response),
        Err(status) => status,
    };
    if Verdict::of(&status, request).ends() {
        return Err(status);
    }
    let mut course = Course::new(config, endpoints, request, budget);
    course.began(picked);
    course.failed(picked.endpoint, status)?;
    Box::pin(follow(course, None)).await
}

/// Goes on from there, beginning at `next` or where the course says.
pub(super) async fn follow<E: Endpoints>(
    mut course: Course<'_, E>,
    mut next: Option<Pick>,
) -> Result<Response, Status> {
    loop {
        let picked = match next.take() {
            Some(picked) => picked,
            None => course.next().await?,
        };
        if let Some(answer) = course.attempt(picked).await {
            match answer {
                Ok(response) => return Ok(response),
                Err(status) => course.failed(picked.endpoint, status)?,
            }
        }
    }
}
