use std::sync::atomic::{AtomicBool, Ordering};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::Instant;

use super::{Core, Set};
use crate::{
    channel::Patience,
    ha::{Endpoints, Event, Pick, Tried},
};

/// One call over one set of endpoints, as a strategy sees it.
pub(super) struct Attempts<'a> {
    core: &'a Core,
    set: &'a Set,
    /// When it began: when the first endpoint is picked and asked, so that most calls look at the clock once.
    began: Instant,
    /// An attempt was made; what comes after it has to look again.
    later: AtomicBool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(core: &'a Core, set: &'a Set, now: Instant) -> Self {
        Self {
            core,
            set,
            began: now,
            later: AtomicBool::new(false),
        }
    }

    fn now(&self) -> Instant {
        if self.later.load(Ordering::Relaxed) {
            Instant::now()
        } else {
            self.began
        }
    }
}

impl Endpoints for Attempts<'_> {
    fn count(&self) -> usize {
        self.set.endpoints().len()
    }

    fn pick(&self, request: &Request, tried: &Tried) -> Option<Pick> {
        self.set.pick(request, tried, self.now())
    }

    fn has_up(&self, tried: &Tried) -> bool {
        self.set.has_up(tried)
    }

    fn pick_for_hedge(&self, request: &Request, tried: &Tried) -> Option<usize> {
        self.set.pick_for_hedge(request, tried, self.now())
    }

    async fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
        patience: Patience,
    ) -> Result<Response, Status> {
        let now = self.now();
        self.later.store(true, Ordering::Relaxed);
        let endpoint = &self.set.endpoints()[endpoint];
        endpoint.attempt(request, patience, now).await
    }

    fn timed_out(&self, endpoint: usize) {
        self.set.endpoints()[endpoint].timed_out();
    }

    fn began(&self) -> Instant {
        self.began
    }

    /// A bare channel does.
    fn keeps_deadline(&self) -> bool {
        self.core.attempt_layers.is_empty()
    }

    fn note(&self, event: Event) {
        self.core.counters.event(event);
    }
}
