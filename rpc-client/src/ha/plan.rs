use doge_rpc_core::{
    Status,
    call::{Request, Response},
    observe::LogThrottle,
};
use tokio::time::Instant;

use super::{
    Budget, Endpoints, Failover, Failsafe, Pick, Strategy, backup::Backup, broadcast, failfast,
    failover, failsafe,
};
use crate::channel::ConnectWait;

/// A strategy with its state. Made once for a service, or for a method that has its own.
#[derive(Debug)]
pub(crate) struct Plan(Kind);

#[derive(Debug)]
enum Kind {
    Failover(Failover),
    Failfast,
    BackupRequest(Box<Backup>),
    Failsafe(Failsafe, LogThrottle),
    Broadcast,
}

impl Plan {
    /// The plan of this strategy.
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self(match strategy {
            Strategy::Failover(config) => Kind::Failover(config),
            Strategy::Failfast => Kind::Failfast,
            Strategy::BackupRequest(config) => {
                Kind::BackupRequest(Box::new(Backup::new(config, Instant::now())))
            }
            Strategy::Failsafe(config) => Kind::Failsafe(config, LogThrottle::default()),
            Strategy::Broadcast => Kind::Broadcast,
        })
    }

    /// Counts a call, once before it [runs](Self::run), however often: what it saves up for retries and hedges.
    pub(crate) fn begin(&self, request: &Request, budget: &Budget, now: Instant) {
        budget.deposit(now);
        if let Kind::BackupRequest(backup) = &self.0
            && may_be_hedged(request)
        {
            backup.earn();
        }
    }

    /// Makes one call, which ends by its deadline. Cancel safe: dropping it cancels all its attempts.
    ///
    /// # Errors
    ///
    /// The status of the call.
    pub(crate) async fn run<E: Endpoints>(
        &self,
        endpoints: &E,
        request: &Request,
        budget: &Budget,
    ) -> Result<Response, Status> {
        match &self.0 {
            Kind::Failover(config) => failover::run(config, endpoints, request, budget).await,
            Kind::Failfast | Kind::Failsafe(..) => failfast::run(endpoints, request).await,
            Kind::BackupRequest(backup) if may_be_hedged(request) => {
                backup.run(endpoints, request, budget).await
            }
            Kind::BackupRequest(backup) => {
                failover::run(backup.failover(), endpoints, request, budget).await
            }
            Kind::Broadcast => Box::pin(broadcast::run_as_one(endpoints, request)).await,
        }
    }

    /// Whether a call begins with one attempt that nothing runs beside and nothing but the deadline ends, so that the caller
    /// of this plan can make it. [`go_on`](Self::go_on) is what comes after.
    #[inline]
    pub(crate) fn begins_with_one_attempt(&self, request: &Request) -> bool {
        match self.first_attempt(request) {
            FirstAttempt::Failover(config) => config.attempt_timeout.is_none(),
            FirstAttempt::Only => true,
            FirstAttempt::Beside => false,
        }
    }

    /// How long that attempt waits for a connection, at one of `count` endpoints.
    pub(crate) fn first_wait(&self, request: &Request, count: usize) -> ConnectWait {
        match self.first_attempt(request) {
            FirstAttempt::Failover(_) => ConnectWait::of_attempt(count <= 1),
            FirstAttempt::Only | FirstAttempt::Beside => ConnectWait::UNTIL_DEADLINE,
        }
    }

    /// Whether something may follow that attempt, which ended with this status.
    pub(crate) fn goes_on(&self, request: &Request, status: &Status) -> bool {
        match self.first_attempt(request) {
            FirstAttempt::Failover(config) => failover::goes_on(config, request, status),
            FirstAttempt::Only | FirstAttempt::Beside => false,
        }
    }

    /// Goes on after that attempt, which went to `first` and failed. Cancel safe: dropping it cancels all attempts.
    ///
    /// # Errors
    ///
    /// The status of the call.
    pub(crate) async fn go_on<E: Endpoints>(
        &self,
        endpoints: &E,
        request: &Request,
        budget: &Budget,
        first: Pick,
        status: Status,
    ) -> Result<Response, Status> {
        match self.first_attempt(request) {
            FirstAttempt::Failover(config) => {
                failover::go_on(config, endpoints, request, budget, first, status).await
            }
            FirstAttempt::Only | FirstAttempt::Beside => Err(status),
        }
    }

    #[inline]
    fn first_attempt(&self, request: &Request) -> FirstAttempt<'_> {
        match &self.0 {
            Kind::Failover(config) => FirstAttempt::Failover(config),
            Kind::BackupRequest(backup) if !may_be_hedged(request) => {
                FirstAttempt::Failover(backup.failover())
            }
            Kind::Failfast | Kind::Failsafe(..) => FirstAttempt::Only,
            Kind::BackupRequest(_) | Kind::Broadcast => FirstAttempt::Beside,
        }
    }

    /// What a call comes to that has failed, wherever that was: before an attempt, at one, or after all.
    ///
    /// # Errors
    ///
    /// The same status, unless the strategy has an answer for it.
    pub(crate) fn answer_for(&self, request: &Request, status: Status) -> Result<Response, Status> {
        match &self.0 {
            Kind::Failsafe(config, throttle) => {
                Ok(failsafe::answer(config, throttle, request, &status))
            }
            _ => Err(status),
        }
    }

    /// Whether a call that nobody took may be made again over other endpoints.
    pub(crate) fn goes_elsewhere(&self) -> bool {
        matches!(self.0, Kind::Failover(_) | Kind::BackupRequest(_))
    }

    /// Makes one attempt at every endpoint, whatever the strategy; what came of each, in their order. Cancel safe:
    /// dropping it cancels all attempts.
    pub(crate) async fn broadcast<E: Endpoints>(
        endpoints: &E,
        request: &Request,
    ) -> Vec<(usize, Result<Response, Status>)> {
        broadcast::run(endpoints, request).await
    }
}

/// What the first attempt of a call is.
enum FirstAttempt<'a> {
    /// Others may follow, as this says.
    Failover(&'a Failover),
    /// No other follows.
    Only,
    /// Others may run beside it.
    Beside,
}

/// A hedge may run what already runs, and is a retry to whoever sees it.
fn may_be_hedged(request: &Request) -> bool {
    request.route().idempotent() && !request.attempt().retry
}
