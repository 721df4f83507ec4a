use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doge_rpc_core::{Status, call::Route};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{
    Handler, Usage,
    in_place::{InPlace, is_long},
};

/// A method, or what takes calls that name none.
pub(crate) struct Target {
    route: Route,
    handler: Result<Arc<dyn Handler>, Status>,
    /// Whether a poll in place took too long that is not forgiven: then each poll is watched.
    suspect: AtomicBool,
    in_place: Mutex<InPlace>,
}

impl Target {
    pub(super) fn new(route: Route, handler: Result<Arc<dyn Handler>, Status>) -> Self {
        Self {
            route,
            handler,
            suspect: AtomicBool::new(false),
            in_place: Mutex::new(InPlace::new()),
        }
    }

    pub(crate) fn route(&self) -> &Route {
        &self.route
    }

    /// The handler, or why there is none.
    pub(crate) fn handler(&self) -> Result<&dyn Handler, Status> {
        self.handler.as_deref().map_err(Status::clone)
    }

    /// Whether the call that begins now is polled in place; `alone` tells whether no other call waits on its connection.
    pub(crate) fn admits_in_place(&self, alone: impl FnOnce() -> bool, now: Instant) -> bool {
        !self.is_suspect() || self.in_place.lock().admits(alone(), now)
    }

    /// Whether each poll of this method has to be watched.
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// Notes how long a poll in place took that ended now; `before` is what the thread had used up before a poll of a method
    /// that was a suspect then.
    pub(crate) fn polled(&self, took: Duration, now: Instant, before: Option<&Usage>) {
        if is_long(took) || self.is_suspect() {
            let began = now.checked_sub(took);
            let own = before.map_or(took, |before| before.own_part(took));
            let mut in_place = self.in_place.lock();
            in_place.polled(began, own, now);
            self.suspect.store(in_place.is_suspect(), Ordering::Relaxed);
        }
    }

    /// Notes how long the first poll of a call took in a task of its own.
    pub(crate) fn polled_apart(&self, took: Duration, now: Instant) {
        self.in_place.lock().polled_apart(took, now);
    }
}
