//! What is counted of an attempt and of the call over the channel that it makes, however they end.

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::Instant;

use super::endpoint::{Endpoint, EndpointState};
use crate::{
    balance::InFlight,
    health::HealthOutcome,
    status_tables::{is_loss_of_peer, load_sample},
    watch::Counted,
};

/// An attempt under way: counted, and in flight at its endpoint until the answer and its items have ended. Dropped without
/// an answer it was given up, which says how long the endpoint took at least.
pub(super) struct AttemptGuard<'a> {
    counted: Counted<'a>,
    in_flight: InFlight<'a>,
    endpoint: &'a Endpoint,
}

impl<'a> AttemptGuard<'a> {
    #[inline]
    pub(super) fn new(
        counted: Counted<'a>,
        in_flight: InFlight<'a>,
        endpoint: &'a Endpoint,
    ) -> Self {
        Self {
            counted,
            in_flight,
            endpoint,
        }
    }

    #[inline]
    pub(super) fn end(self, answer: &Result<Response, Status>) {
        let is_connected = || self.endpoint.channel().is_connected();
        if let Ok(head) = answer
            && head.body().has_items()
        {
            self.in_flight.follow(self.endpoint.load(), head.body());
        } else if let Some(sample) = load_sample(answer, is_connected) {
            self.in_flight.end(Instant::now(), sample);
        }
        self.counted.end(answer);
    }
}

/// A call over the channel to an endpoint, which tells of the health of the endpoint. Dropped after its deadline it is a
/// failure of the endpoint.
pub(super) struct CallGuard<'a> {
    endpoint: &'a EndpointState,
    request: &'a Request,
    /// That of the connection when it began.
    generation: u64,
    ended: bool,
}

impl<'a> CallGuard<'a> {
    #[inline]
    pub(super) fn new(endpoint: &'a EndpointState, request: &'a Request) -> Self {
        Self {
            generation: endpoint.channel().connection_generation(),
            endpoint,
            request,
            ended: false,
        }
    }

    #[inline]
    pub(super) fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        let outcome = match answer {
            Err(status) if is_loss_of_peer(status) && self.lost_its_connection() => {
                self.loss(status)
            }
            answer => HealthOutcome::of(answer),
        };
        if outcome == HealthOutcome::Success {
            self.endpoint.flaps().forget();
        }
        self.endpoint.record(outcome);
    }

    /// While disconnected the endpoint gets no calls anyway, so the disconnect itself does not count. The loss of a
    /// connection with calls in flight counts as one failure.
    fn loss(&self, status: &Status) -> HealthOutcome {
        // A call that began before the first connection was lost with that connection.
        let connection = self.generation.max(1);
        if !status.never_ran() && self.endpoint.flaps().count(connection) {
            HealthOutcome::Failure
        } else {
            HealthOutcome::Neutral
        }
    }

    fn lost_its_connection(&self) -> bool {
        let channel = self.endpoint.channel();
        !channel.is_connected() || channel.connection_generation() != self.generation
    }
}

impl Drop for CallGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // An outer timeout, of a layer or of the call as a whole, fired first.
        if !self.ended && self.request.deadline().has_passed() {
            self.endpoint.record(HealthOutcome::Failure);
        }
    }
}
