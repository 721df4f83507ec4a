use std::sync::Arc;

use doge_rpc_core::observe::{Event, Observer};

/// Those who watch a cluster or a channel.
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

    /// Tells all of them.
    pub(crate) fn observe(&self, event: &Event<'_>) {
        self.0.iter().for_each(|observer| observer.observe(event));
    }
}
