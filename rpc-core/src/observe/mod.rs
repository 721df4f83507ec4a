//! What happens to calls, attempts, connections and endpoints, for those who watch: metrics, traces, tests.

mod event;
mod latency;
mod throttle;

use std::{fmt, sync::Arc};

pub use self::{
    event::{CallInfo, CallResult, Event, RefusalReason, Side},
    latency::LatencyHistogram,
    throttle::LogThrottle,
};

/// Watches one end: a server, a cluster or a channel.
///
/// An observer sees every call, however it ends, once as started and once as ended. It is called where things happen, on
/// the task that makes them happen, and so must return quickly and never block. Without an observer, a call pays one
/// branch.
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
    /// Notes what happened.
    fn observe(&self, event: &Event<'_>);
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }
}
