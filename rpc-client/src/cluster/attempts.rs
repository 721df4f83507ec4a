use doge_rpc_core::{
    Status,
    call::{Request, Response},
};

use super::{Core, Set};
use crate::{
    channel::Patience,
    ha::{Endpoints, Event, Pick, Tried},
};

/// One call over one set of endpoints, as a strategy sees it.
pub(super) struct Attempts<'a> {
    pub(super) core: &'a Core,
    pub(super) set: &'a Set,
}

impl Endpoints for Attempts<'_> {
    fn count(&self) -> usize {
        self.set.endpoints().len()
    }

    fn pick(&self, request: &Request, tried: &Tried) -> Option<Pick> {
        self.set.pick(request, tried)
    }

    fn pick_for_hedge(&self, request: &Request, tried: &Tried) -> Option<usize> {
        self.set.pick_for_hedge(request, tried)
    }

    async fn attempt(
        &self,
        endpoint: usize,
        request: &Request,
        patience: Patience,
    ) -> Result<Response, Status> {
        let endpoint = &self.set.endpoints()[endpoint];
        endpoint.attempt(request, patience).await
    }

    fn timed_out(&self, endpoint: usize) {
        self.set.endpoints()[endpoint].timed_out();
    }

    /// A bare channel does.
    fn keeps_deadline(&self) -> bool {
        self.core.attempt_layers.is_empty()
    }

    fn note(&self, event: Event) {
        self.core.counters.event(event);
    }
}
