//! Futures that somebody gives up before they are done: what they have under way is cancelled for the true reason.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use doge_rpc_core::call::{CancelReason, Cancellation};
use tokio::time::{Instant, timeout_at};

/// A future in a place that somebody else holds, so that it need not move to a box. Dropping this drops the future.
pub(crate) struct InPlace<'a, F>(Pin<&'a mut Option<F>>);

impl<'a, F> InPlace<'a, F> {
    pub(crate) fn new(place: Pin<&'a mut Option<F>>) -> Self {
        Self(place)
    }
}

impl<F: Future> Future for InPlace<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.0.as_mut().as_pin_mut() {
            Some(future) => future.poll(cx),
            None => Poll::Pending,
        }
    }
}

impl<F> Drop for InPlace<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// Drops what is under way; the calls in it are cancelled for this reason.
pub(crate) fn stop<T>(running: T, why: CancelReason) {
    Cancellation::bare(why).scope(|| drop(running));
}

/// Waits for a future, and drops it at the deadline; the calls in it are cancelled for that reason. `None` when it was not
/// done by then. Cancel safe as the future is.
pub(crate) async fn until_deadline<F: Future>(
    deadline: Instant,
    mut running: InPlace<'_, F>,
) -> Option<F::Output> {
    match timeout_at(deadline, &mut running).await {
        Ok(output) => Some(output),
        Err(_) => {
            stop(running, CancelReason::Deadline);
            None
        }
    }
}
