//! A second attempt while the first is still out: when, how often, and the race of the two.

mod credit;
mod delay;
mod race;

use std::{pin::pin, time::Duration};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::{Instant, timeout};

use self::{credit::Credit, delay::Delay, race::Race};
use super::{
    BackupRequest, Budget, Endpoints, Failover,
    endpoints::{self, attempt, connect_wait},
    retry_state::RetryState,
};
use crate::{
    in_place::InPlace,
    status_tables::{RetryDecision, tells_latency},
};

/// Backup requests, with what was learned about the calls so far.
#[derive(Debug)]
pub(super) struct Backup {
    config: BackupRequest,
    delay: Delay,
    credit: Credit,
}

impl Backup {
    pub(super) fn new(config: BackupRequest, now: Instant) -> Self {
        Self {
            delay: Delay::new(config.delay, config.initial_delay, now),
            credit: Credit::new(config.ratio, config.burst),
            config,
        }
    }

    /// What it does about failures, and all that it does for a call that is not hedged.
    pub(super) fn failover(&self) -> &Failover {
        &self.config.failover
    }

    /// A call saves up its part of a hedge.
    pub(super) fn earn(&self) {
        self.credit.earn();
    }

    /// Makes one call of an idempotent method that is no retry. Cancel safe: dropping it cancels all its attempts.
    pub(super) async fn run<E: Endpoints>(
        &self,
        endpoints: &E,
        request: &Request,
        budget: &Budget,
    ) -> Result<Response, Status> {
        let picked = endpoints::first(endpoints, request)?;
        let (begun, delay) = (Instant::now(), self.delay.get());
        let wait = connect_wait(endpoints, 0);
        let first = attempt(endpoints, picked.endpoint, request, wait);
        let place = pin!(Some(first));
        let mut first = InPlace::new(place);
        let limit = self.failover().attempt_timeout.unwrap_or(Duration::MAX);
        let answer = timeout(delay.min(limit), &mut first).await;
        if let Ok(answer) = &answer {
            self.learn(Some(begun), answer);
        }
        let race = || {
            let state = RetryState::new(self.failover(), endpoints, request, budget);
            Race::new(self, state, begun + delay)
        };
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(status)) if RetryDecision::of(&status, request, self.failover()).ends() => {
                Err(status)
            }
            // What comes now is large and rare: in a box, it does not make the future of every call larger.
            Ok(Err(status)) => {
                let rest = Box::pin(race().first_failed(picked, status)?.run());
                rest.await
            }
            Err(_) => {
                let rest = Box::pin(race().first_runs(picked, first, begun).run());
                rest.await
            }
        }
    }

    /// Learns from a first attempt, if that is what began then. One that failed before the deadline says nothing about how long
    /// an answer takes.
    fn learn(&self, begun: Option<Instant>, answer: &Result<Response, Status>) {
        if let Some(begun) = begun
            && tells_latency(answer)
        {
            self.delay.record(begun, Instant::now());
        }
    }

    /// Learns that a first attempt was given up for a hedge that was quicker, or for a retry. It would have taken longer
    /// than this; where it is past the delay, as with a hedge, a percentile that it counts for stays right.
    fn learn_lost(&self, begun: Option<Instant>) {
        if let Some(begun) = begun {
            self.delay.record(begun, Instant::now());
        }
    }
}
