use std::{sync::Arc, time::Duration};

use doge_rpc_core::{
    Status,
    call::Peer,
    connection::{Incoming, Refused},
    observe::RefusalReason,
};

use super::{Answer, state::outcome, tell_of_refusal};
use crate::{
    router::{Resolved, Router},
    stats::{Counters, Place},
    watch::{Ended, Watch, Watched},
};

/// A call that was done at once, be it refused. Of the usual one not much is kept, since it is moved a few times.
pub(super) struct Done {
    pub(super) id: u64,
    pub(super) answer: Answer,
    place: Place,
    /// The framework ended it, and not the handler.
    is_fault: bool,
    elapsed: Option<Duration>,
    watched: Option<Arc<Watched>>,
    refused: Option<Box<Refused<Resolved>>>,
}

impl Done {
    /// A call that was dispatched.
    #[inline]
    pub(super) fn ran(
        id: u64,
        place: Place,
        answer: Answer,
        elapsed: Option<Duration>,
        watched: Option<Arc<Watched>>,
    ) -> Self {
        Self {
            id,
            answer,
            place,
            is_fault: false,
            elapsed,
            watched,
            refused: None,
        }
    }

    /// A call that was not dispatched.
    pub(super) fn refused(call: Incoming<Resolved>, reason: RefusalReason, status: Status) -> Self {
        let (id, place) = (call.id, call.route.place());
        let refused = Refused::of(call, reason);
        Self {
            refused: Some(Box::new(refused)),
            ..Self::ran(id, place, Err(status.rejected()), None, None)
        }
    }

    /// The same call, ended by the framework.
    pub(super) fn by_framework(self) -> Self {
        Self {
            is_fault: true,
            ..self
        }
    }

    /// The answer could not travel; this is what the caller gets.
    pub(super) fn replace(&mut self, status: Status) {
        self.answer = Err(status);
        self.is_fault = self.refused.is_none();
    }

    /// Counts it, and returns whether somebody is to be told.
    #[inline]
    pub(super) fn count(&self, counters: &mut Counters) -> bool {
        match &self.answer {
            Ok(response) if !response.is_application_error() && self.elapsed.is_none() => {
                counters.answer(self.place);
                self.watched.is_some()
            }
            _ => self.count_unusual(counters),
        }
    }

    fn count_unusual(&self, counters: &mut Counters) -> bool {
        if let Some(refused) = &self.refused {
            counters.refuse(self.place, refused.reason);
            return true;
        }
        let (code, is_application_error) = outcome(&self.answer);
        counters.start(self.place);
        counters.end(self.place, code, is_application_error, self.elapsed);
        self.is_fault || self.watched.is_some()
    }

    /// Tells those who watch.
    pub(super) fn tell(&self, watch: &Watch, router: &Router, peer: &Peer) {
        if let Some(refused) = &self.refused {
            tell_of_refusal(refused, watch, router, peer);
        } else if let Some(route) = router.route(self.place) {
            watch.end(&Ended {
                route,
                peer,
                watched: self.watched.as_deref(),
                answer: &self.answer,
                elapsed: self.elapsed,
                is_fault: self.is_fault,
            });
        }
    }
}
