use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use doge_rpc_core::observe::{Event, Observer};

/// The observers of a cluster, a channel or an in-process client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    pub(crate) fn new(observers: Vec<Arc<dyn Observer>>) -> Self {
        Self(observers)
    }

    pub(crate) fn push(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Arc<dyn Observer>> {
        self.0.iter()
    }

    /// Passes an event to all observers.
    pub(crate) fn observe(&self, event: &Event<'_>) {
        self.0.iter().for_each(|observer| tell(&**observer, event));
    }
}

/// Passes an event to an observer. A panic of the observer is logged, and affects no call.
pub(super) fn tell(observer: &dyn Observer, event: &Event<'_>) {
    let told = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
    if told.is_err() {
        tracing::error!(?event, "an observer panicked");
    }
}
