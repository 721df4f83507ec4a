use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use doge_rpc_core::{Status, call::Route};

use super::Handler;

/// A method, or what takes calls that name none.
pub(crate) struct Target {
    route: Route,
    handler: Result<Arc<dyn Handler>, Status>,
    /// 0 while no call took too long in place. After that one more than the calls that are still to run in a task of
    /// their own.
    heavy: AtomicU32,
}

/// A poll that takes longer than this holds up the calls behind it, which costs more than a task does.
const LIGHT: Duration = Duration::from_micros(100);

/// Whether that is too long for a poll in place.
pub(crate) fn is_long(time: Duration) -> bool {
    time > LIGHT
}

/// So many calls run in a task of their own before the method is tried in place again.
const HEAVY_CALLS: u32 = 64;

impl Target {
    pub(super) fn new(route: Route, handler: Result<Arc<dyn Handler>, Status>) -> Self {
        Self {
            route,
            handler,
            heavy: AtomicU32::new(0),
        }
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    /// The handler, or why there is none.
    pub(crate) fn handler(&self) -> Result<&dyn Handler, Status> {
        self.handler.as_deref().map_err(Status::clone)
    }

    /// Whether the next call may be polled in place.
    pub(crate) fn is_light(&self) -> bool {
        let heavy = self.heavy.load(Ordering::Relaxed);
        if heavy > 1 {
            self.heavy.store(heavy - 1, Ordering::Relaxed);
        }
        heavy <= 1
    }

    /// Whether a call took too long once, so that each one has to be timed.
    pub(crate) fn is_suspect(&self) -> bool {
        self.heavy.load(Ordering::Relaxed) > 0
    }

    /// Notes how long a poll in place took.
    pub(crate) fn took(&self, time: Duration) {
        if is_long(time) {
            self.heavy.store(HEAVY_CALLS + 1, Ordering::Relaxed);
        }
    }
}
