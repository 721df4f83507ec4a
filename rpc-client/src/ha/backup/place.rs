use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A future in a place that somebody else holds, so that it need not move to a box. Dropping this drops the future.
pub(super) struct InPlace<'a, F>(Pin<&'a mut Option<F>>);

impl<'a, F> InPlace<'a, F> {
    pub(super) fn new(place: Pin<&'a mut Option<F>>) -> Self {
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
