use doge_rpc_core::{
    Status,
    call::{Request, Response},
};
use tokio::time::Instant;

use super::{Budget, Endpoints, Failover, Strategy, failfast, failover};

/// A strategy with its state. Made once for a service, or for a method that has its own.
#[derive(Debug)]
pub(crate) struct Plan(Kind);

#[derive(Debug)]
enum Kind {
    Failover(Failover),
    Failfast,
}

impl Plan {
    /// The plan of this strategy.
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self(match strategy {
            Strategy::Failover(config) => Kind::Failover(config),
            _ => Kind::Failfast,
        })
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
        budget.deposit(Instant::now());
        match &self.0 {
            Kind::Failover(config) => failover::run(config, endpoints, request, budget).await,
            Kind::Failfast => failfast::run(endpoints, request).await,
        }
    }
}
