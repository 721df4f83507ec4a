use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    task::{Context as Task, Poll},
};

use tokio::time::timeout_at;

use super::{CancelReason, Cancellation, Context, Peer, Request, Response, Route, Serve};
use crate::Status;

/// Runs the handler of a request, inside all layers: with a context for the request, until the request's deadline or
/// the cancellation of the arrived call. A panic of the handler becomes `Internal`, and reply metadata of the handler
/// is added to the answer.
///
/// Dropping the future drops the handler's future at its current await point, within its context.
///
/// # Errors
///
/// The status of the call.
pub async fn handle<S: Serve>(service: S, mut request: Request) -> Result<Response, Status> {
    let arrived = request.take_arrived();
    if request.peer().is_none() {
        request = request.with_peer(Peer::in_process());
    }
    match &arrived {
        Some(arrived) => arrived.start()?,
        None => _ = Context::with_current(Context::served_another_request),
    }
    let context = Context::of(&request);
    let own_deadline = match &arrived {
        // The connection enforces this deadline.
        Some(arrived) if arrived.deadline() <= request.deadline() => None,
        _ => Some(request.deadline()),
    };
    let mut handler = pin!(Some(context.clone().scope(service.serve(request))));
    let serving = serve(&context, arrived.as_ref(), handler.as_mut());
    let mut answer = match own_deadline {
        None => serving.await,
        Some(deadline) => {
            let ended = timeout_at(deadline.instant(), serving).await;
            ended.unwrap_or_else(|_| Err(stop(&context, &DEADLINE, handler.as_mut())))
        }
    };
    context.complete(&mut answer);
    answer
}

const DEADLINE: Cancellation = Cancellation::bare(CancelReason::Deadline);

/// Drops the handler; the calls that it is making end for the same reason.
fn stop<F>(context: &Context, why: &Cancellation, mut handler: Pin<&mut Option<F>>) -> Status {
    why.scope(|| handler.set(None));
    why.status(context.route())
}

async fn serve<F>(
    context: &Context,
    arrived: Option<&Context>,
    mut handler: Pin<&mut Option<F>>,
) -> Result<Response, Status>
where
    F: Future<Output = Result<Response, Status>>,
{
    poll_fn(|task| {
        if let Some(arrived) = arrived
            && let Poll::Ready(cancellation) = arrived.poll_cancelled(task)
        {
            return Poll::Ready(Err(stop(context, &cancellation, handler.as_mut())));
        }
        match handler.as_mut().as_pin_mut() {
            Some(handler) => guard(context.route(), context.peer(), handler, task),
            None => Poll::Pending,
        }
    })
    .await
}

/// Polls a handler once, or the layers around it; a panic is logged and becomes `Internal`.
pub fn guard<F>(
    route: &Route,
    peer: Option<&Peer>,
    handler: Pin<&mut F>,
    task: &mut Task<'_>,
) -> Poll<Result<Response, Status>>
where
    F: Future<Output = Result<Response, Status>> + ?Sized,
{
    let poll = AssertUnwindSafe(|| handler.poll(task));
    std::panic::catch_unwind(poll)
        .unwrap_or_else(|panic| Poll::Ready(Err(panicked(route, peer, &*panic))))
}

fn panicked(route: &Route, peer: Option<&Peer>, panic: &(dyn Any + Send)) -> Status {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let peer = peer.map(tracing::field::display);
    tracing::error!(method = %route, peer, panic = text, "a handler panicked");
    Status::internal("the handler panicked")
}
