use std::sync::Arc;

use doge_rpc_core::{
    Code, Deadline, Status,
    call::{Request, Response},
};
use tokio::{sync::Notify, time::Instant};

use super::{Core, flaps::ConnectionFlaps};
use crate::{
    Channel,
    channel::ConnectWait,
    health::{Health, HealthOutcome},
    watch::{Failures, Subscription},
};

/// The channel to an endpoint, and what the calls over it tell of its health. Layers of an attempt are above: what they
/// refuse or hold back says nothing of the endpoint.
#[derive(Debug)]
pub(super) struct Line {
    channel: Channel,
    health: Arc<Health>,
    flaps: ConnectionFlaps,
    failures: Failures,
    /// What the observers of the cluster are told of its connections.
    _subscriptions: Vec<Subscription>,
    /// Told when the health wants to be looked at.
    alarm: Arc<Notify>,
}

impl Line {
    pub(super) fn new(channel: Channel, health: Health, core: &Core) -> Self {
        let observers = core.watch.observers.iter();
        Self {
            _subscriptions: observers.map(|it| channel.subscribe(it)).collect(),
            channel,
            health: Arc::new(health),
            flaps: ConnectionFlaps::default(),
            failures: Failures::default(),
            alarm: Arc::clone(&core.alarm),
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(super) fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Attempts that failed, those at a layer above included.
    pub(super) fn failures(&self) -> &Failures {
        &self.failures
    }

    pub(super) fn flaps(&self) -> &ConnectionFlaps {
        &self.flaps
    }

    /// Makes a call, which begins `now`. Dropping the future cancels it; after the deadline that counts as a failure of
    /// the endpoint.
    pub(super) async fn call(
        &self,
        request: &Request,
        wait: ConnectWait,
        now: Instant,
    ) -> Result<Response, Status> {
        let call = Call::new(self, request.deadline());
        let answer = self.channel.call_waiting(wait, request, now).await;
        call.end(&answer);
        answer
    }

    /// Counts what a call tells.
    pub(super) fn record(&self, outcome: HealthOutcome) {
        if self.health.record(outcome) {
            self.alarm.notify_one();
        }
    }
}

/// A call on its way.
struct Call<'a> {
    line: &'a Line,
    deadline: Deadline,
    /// How many connections there were when it began.
    connections: u64,
    ended: bool,
}

impl<'a> Call<'a> {
    fn new(line: &'a Line, deadline: Deadline) -> Self {
        Self {
            connections: line.channel.connections(),
            line,
            deadline,
            ended: false,
        }
    }

    fn end(mut self, answer: &Result<Response, Status>) {
        self.ended = true;
        let outcome = match answer {
            Err(status) if status.code() == Code::Unavailable && self.lost_its_connection() => {
                self.loss(status)
            }
            answer => HealthOutcome::of(answer),
        };
        if outcome == HealthOutcome::Success {
            self.line.flaps.forget();
        }
        self.line.record(outcome);
    }

    /// That there is no connection keeps further calls away, and must not do so any longer than that. Only its loss
    /// under calls counts, once.
    fn loss(&self, status: &Status) -> HealthOutcome {
        // One that began before the first connection was lost with that.
        let connection = self.connections.max(1);
        if !status.never_ran() && self.line.flaps.count(connection) {
            HealthOutcome::Failure
        } else {
            HealthOutcome::Neutral
        }
    }

    fn lost_its_connection(&self) -> bool {
        let channel = &self.line.channel;
        !channel.is_connected() || channel.connections() != self.connections
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        // Somebody else's timer was first: that of a layer, or of the call as a whole.
        if !self.ended && self.deadline.has_passed() {
            self.line.record(HealthOutcome::Failure);
        }
    }
}
