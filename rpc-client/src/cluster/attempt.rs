use std::time::Duration;

use doge_rpc_core::{Code, Deadline, Status, call::Response};
use tokio::time::Instant;

use super::Endpoint;
use crate::{
    balance::{InFlight, Sample},
    health::{Outcome, judge},
};

/// An attempt on its way.
pub(super) struct Attempt<'a> {
    endpoint: &'a Endpoint,
    deadline: Deadline,
    began: Instant,
    /// How many connections there were when it began.
    connections: u64,
    in_flight: Option<InFlight<'a>>,
}

impl<'a> Attempt<'a> {
    /// Begins one that ends by this deadline.
    pub(super) fn new(endpoint: &'a Endpoint, deadline: Deadline) -> Self {
        let began = Instant::now();
        Self {
            in_flight: Some(endpoint.load().begin(began)),
            connections: endpoint.channel().connections(),
            endpoint,
            deadline,
            began,
        }
    }

    /// Remembers how it went.
    pub(super) fn end(mut self, answer: &Result<Response, Status>) {
        let (outcome, sample) = self.judge(answer);
        if outcome == Outcome::Success {
            self.endpoint.losses().forget();
        }
        if let (Some(in_flight), Some(sample)) = (self.in_flight.take(), sample) {
            in_flight.end(Instant::now(), sample);
        }
        self.endpoint.record(outcome);
    }

    fn judge(&self, answer: &Result<Response, Status>) -> (Outcome, Option<Sample>) {
        let outcome = judge(answer);
        let Err(status) = answer else {
            return (outcome, Some(Sample::Answered));
        };
        if status.code() == Code::Unavailable && self.connection_was_lost() {
            // That there is no connection keeps further calls away, and must not do so any longer than that. Only
            // its loss under calls counts, once.
            let first = !status.never_ran() && self.endpoint.losses().count(self.connections);
            let outcome = if first {
                Outcome::Failure
            } else {
                Outcome::Neutral
            };
            return (outcome, None);
        }
        let sample = match outcome {
            Outcome::Success => Some(Sample::Answered),
            Outcome::Failure => Some(Sample::Failed),
            Outcome::Neutral if status.code() == Code::ResourceExhausted => {
                Some(match status.pushback() {
                    Some(pushback) => Sample::Overloaded { pushback },
                    None if status.never_ran() => Sample::Overloaded {
                        pushback: Duration::ZERO,
                    },
                    // What ran into a limit of its own, such as a user's quota, says nothing about the endpoint.
                    None => Sample::Answered,
                })
            }
            // It is of another version, or its address is somebody else's by now: others may have the method.
            Outcome::Neutral if status.code() == Code::Unimplemented => Some(Sample::Failed),
            Outcome::Neutral => None,
        };
        (outcome, sample)
    }

    fn connection_was_lost(&self) -> bool {
        let channel = self.endpoint.channel();
        !channel.is_connected() || channel.connections() != self.connections
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.in_flight.is_none() {
            return;
        }
        // Somebody else's timer was first: that of a layer, or of the call as a whole.
        let now = Instant::now();
        if self.deadline.instant() <= now && now > self.began {
            self.endpoint.record(Outcome::Failure);
        }
    }
}
