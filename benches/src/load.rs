//! Callers, one task each, that call as fast as they are answered.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Instant,
};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::{Cell, Contender, Error};

/// How long the calls of a window took, in nanoseconds.
pub type Latencies = Histogram<u64>;

/// A number of callers on one connection.
#[derive(Clone, Debug)]
pub struct Load {
    cell: Cell,
    phase: Arc<AtomicU8>,
}

const WARM_UP: u8 = 0;
const WINDOW: u8 = 1;
const OVER: u8 = 2;

impl Load {
    /// The callers of a cell, warming up as soon as they are there.
    pub fn new(cell: Cell) -> Self {
        Self {
            cell,
            phase: Arc::new(AtomicU8::new(WARM_UP)),
        }
    }

    /// From now on calls count.
    pub fn begin(&self) {
        self.phase.store(WINDOW, Ordering::Relaxed);
    }

    /// From now on calls do not count any more, and callers stop.
    pub fn end(&self) {
        self.phase.store(OVER, Ordering::Relaxed);
    }

    /// Connects and calls until the [`end`](Self::end).
    ///
    /// # Errors
    ///
    /// The first error of a call.
    pub async fn put_on<C: Contender>(&self, server: SocketAddr) -> Result<Latencies, Error> {
        let client = C::connect(server).await?;
        let mut callers = JoinSet::new();
        for _ in 0..self.cell.concurrency {
            let value = C::value(self.cell.payload)?;
            callers.spawn(call(client.clone(), value, Arc::clone(&self.phase)));
        }
        let mut latencies = Histogram::new(3)?;
        while let Some(caller) = callers.join_next().await {
            for nanos in caller?? {
                latencies.record(u64::from(nanos))?;
            }
        }
        Ok(latencies)
    }
}

/// One caller. It notes its latencies in a row, since a histogram for each of a thousand callers would push everything
/// else out of the caches.
async fn call<C: Contender>(
    client: C,
    mut value: C::Value,
    phase: Arc<AtomicU8>,
) -> Result<Vec<u32>, Error> {
    let mut latencies = Vec::new();
    let mut start = Instant::now();
    loop {
        value = client.call(value).await?;
        let end = Instant::now();
        match phase.load(Ordering::Relaxed) {
            WARM_UP => {}
            WINDOW => latencies.push(u32::try_from((end - start).as_nanos()).unwrap_or(u32::MAX)),
            _ => return Ok(latencies),
        }
        start = end;
    }
}
