//! The open loop: calls come when their time has come, whatever became of the calls before.
//!
//! Latencies count from the time at which a call had to start, so that neither a server nor this client can hide a stall
//! by starting fewer calls during it (coordinated omission). Arrivals are random and independent of each other, as those
//! of many clients are: a Poisson process.
//!
//! Not to be the bottleneck itself, each worker of the runtime has a pacer with a schedule of its own. A pacer sleeps for
//! a [`TICK`] at least, and whenever it wakes starts all calls that are due, each with a caller of its [`Crew`]. How late it
//! starts them is part of their latency, alike for all contenders.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{runtime::Handle, task::JoinSet};

use super::{
    Latencies,
    crew::{Crew, Order},
    phase::Phase,
    timer::Timer,
};
use crate::{Contender, Error, Payload};

/// Shorter sleeps would keep a core busy with waking up; longer ones would make bursts of the calls.
const TICK: Duration = Duration::from_micros(100);

/// One of several schedules.
struct Pacer<C: Contender> {
    crew: Crew<C>,
    /// Calls per second.
    rate: f64,
    phase: Arc<Phase>,
}

pub(super) async fn call<C: Contender>(
    clients: &[C],
    payload: Payload,
    rate: f64,
    phase: &Arc<Phase>,
) -> Result<Latencies, Error> {
    if !(rate.is_finite() && rate > 0.0) {
        return Err("an open loop needs the rate of a closed one before it".into());
    }
    for client in clients {
        client.call(C::value(payload)?).await?;
        phase.caller_is_warm();
    }
    let workers = Handle::current().metrics().num_workers();
    let mut pacers = JoinSet::new();
    for _ in 0..workers {
        let pacer = Pacer {
            crew: Crew::new(clients, payload),
            rate: rate / workers as f64,
            phase: Arc::clone(phase),
        };
        pacers.spawn(pacer.run());
    }
    let mut all = Latencies::new(3)?;
    while let Some(latencies) = pacers.join_next().await {
        all.add(latencies??)?;
    }
    Ok(all)
}

impl<C: Contender> Pacer<C> {
    async fn run(mut self) -> Result<Latencies, Error> {
        let mut timer = Timer::new()?;
        let mut due = Instant::now();
        loop {
            let now = Instant::now();
            while due <= now {
                let Some(counts) = self.phase.counts_from(due) else {
                    return self.crew.end().await;
                };
                self.crew.start(Order { due, counts });
                due += self.gap();
            }
            timer.until(due.max(Instant::now() + TICK)).await?;
        }
    }

    /// From one arrival to the next.
    fn gap(&self) -> Duration {
        // Of (0, 1], whose logarithm is finite.
        let random = 1.0 - fastrand::f64();
        Duration::from_secs_f64(-random.ln() / self.rate)
    }
}
