//! What is put on a server: callers that wait for their answers, or calls that come when their time has come.

mod callers;
mod crew;
mod notes;
mod open;
mod phase;
mod slow;
mod timer;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hdrhistogram::Histogram;

pub(crate) use self::crew::PATIENCE;
use self::phase::Phase;
use crate::{Cell, Contender, Error, Work};

/// How long the calls of a window took, in nanoseconds.
pub type Latencies = Histogram<u64>;

/// The load of a cell, in three phases: it warms up, calls count, it is over.
#[derive(Clone, Debug)]
pub struct Load {
    cell: Cell,
    /// Calls per second, where these do not depend on the answers.
    rate: f64,
    phase: Arc<Phase>,
}

impl Load {
    /// The load of a cell, warming up as soon as it is put on a server. `rate` is for the open loop only: calls per
    /// second that its percentages are of.
    pub fn new(cell: Cell, rate: f64) -> Self {
        Self {
            cell,
            rate,
            phase: Arc::default(),
        }
    }

    /// Whether every caller has had an answer; in the open loop, every connection.
    pub fn is_warm(&self) -> bool {
        let callers = match self.cell.work {
            Work::Open { .. } => self.cell.connections,
            Work::Closed | Work::Mixed | Work::Chain => self.cell.concurrency,
        };
        self.phase.warm_callers() >= callers
    }

    /// From now on calls count.
    pub fn begin(&self) {
        self.phase.begin();
    }

    /// From now on calls do not count any more. Callers are stopped, even those that wait for an answer.
    pub fn end(&self) {
        self.phase.end();
    }

    /// Connects and calls until the [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub async fn put_on<C: Contender>(&self, server: SocketAddr) -> Result<Latencies, Error> {
        let mut clients = Vec::new();
        for _ in 0..self.cell.connections {
            clients.push(C::connect(server).await?);
        }
        let (cell, phase) = (self.cell, &self.phase);
        match cell.work {
            Work::Closed | Work::Chain => callers::call(&clients, cell, false, phase).await,
            Work::Mixed => callers::call(&clients, cell, true, phase).await,
            Work::Open { percent } => {
                let rate = self.rate * f64::from(percent) / 100.0;
                open::call(&clients, cell.payload, rate, phase).await
            }
        }
    }
}

pub(crate) fn nanos(latency: Duration) -> u64 {
    u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX)
}
