//! Observers of calls, attempts, connections and endpoints: for metrics, traces and tests.

mod event;
mod latency;
mod throttle;

use std::{fmt, sync::Arc};

pub use self::{
    event::{CallInfo, CallResult, Event, RefusalReason, Side},
    latency::LatencyHistogram,
    throttle::LogThrottle,
};

/// Observes the calls and connections of a server, a cluster, a channel or an in-process client.
///
/// An observer sees every call once as started and once as ended, however it ends. It runs on the task that causes the
/// event, so it must return quickly and never block. Without an observer, a call pays one branch.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// use doge_rpc_core::{
///     Code,
///     observe::{Event, Observer},
/// };
///
/// #[derive(Debug, Default)]
/// struct Failures(AtomicU64);
///
/// impl Observer for Failures {
///     fn observe(&self, event: &Event<'_>) {
///         if let Event::CallEnded(_, result) = event
///             && result.code != Code::Ok
///         {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Handles an event.
    fn observe(&self, event: &Event<'_>);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }
}
