use std::{
    any::Any,
    future::Future,
    panic::AssertUnwindSafe,
    pin::Pin,
    task::{Context as Task, Poll},
};

use futures_util::FutureExt as _;

use super::{Context, Request, Response, Serve};
use crate::{Metadata, Status};

/// What a handler left behind: its answer, and the metadata that goes back beside it.
pub type Handled = (Result<Response, Status>, Metadata);

/// Runs a call in its context, until its deadline; a panic of the handler becomes `Internal`.
///
/// Dropping the future drops the handler's, at the await where it stands.
pub async fn handle<S: Serve>(service: S, request: Request) -> Handled {
    let context = request.context();
    let deadline = request.deadline().instant();
    let guarded = AssertUnwindSafe(context.clone().scope(service.serve(request))).catch_unwind();
    let answer = match tokio::time::timeout_at(deadline, guarded).await {
        Ok(answer) => answer.unwrap_or_else(|panic| Err(panicked(&*panic))),
        Err(_) => Err(Status::deadline_exceeded(
            "the handler was stopped at the deadline",
        )),
    };
    (answer, context.take_reply_metadata())
}

/// Polls a handler once, in its context; a panic becomes `Internal`.
pub fn guard<F>(
    context: &Context,
    handler: Pin<&mut F>,
    task: &mut Task<'_>,
) -> Poll<Result<Response, Status>>
where
    F: Future<Output = Result<Response, Status>> + ?Sized,
{
    let poll = AssertUnwindSafe(|| handler.poll(task));
    context
        .clone()
        .sync_scope(|| std::panic::catch_unwind(poll))
        .unwrap_or_else(|panic| Poll::Ready(Err(panicked(&*panic))))
}

fn panicked(panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(panic = text, "a handler panicked");
    Status::internal("the handler panicked")
}
