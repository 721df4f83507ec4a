use std::{
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::task::JoinSet;

use super::{
    Latencies,
    notes::{Notebook, Notes},
};
use crate::{Contender, Error, Payload};

/// The latency of a call that fails, since it never has its answer, and how long after the end answers are waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Callers for calls that come when they will: as many as there were ever calls at once, so that no call has to wait for
/// one, and no more, since a task for each call would cost about as much as the call.
pub(super) struct Crew<C: Contender> {
    clients: Vec<C>,
    payload: Payload,
    idle: Idle,
    callers: JoinSet<Result<(), Error>>,
    notebook: Notebook,
}

/// A call to be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    /// When it had to start.
    pub(super) due: Instant,
    /// Whether it counts.
    pub(super) counts: bool,
}

/// Callers without a call; the one that had the last call gets the next.
type Idle = Arc<Mutex<Vec<Arc<Desk>>>>;

/// Where a caller finds its next call.
#[derive(Debug, Default)]
struct Desk {
    order: Mutex<Option<Order>>,
    waker: Mutex<Option<Waker>>,
}

struct Caller<C: Contender> {
    client: C,
    payload: Payload,
    desk: Arc<Desk>,
    idle: Idle,
    notes: Notes,
}

impl<C: Contender> Crew<C> {
    pub(super) fn new(clients: &[C], payload: Payload) -> Self {
        Self {
            clients: clients.to_vec(),
            payload,
            idle: Idle::default(),
            callers: JoinSet::new(),
            notebook: Notebook::new(),
        }
    }

    /// Has somebody make a call.
    pub(super) fn start(&mut self, order: Order) {
        let idle = self.idle.lock().pop();
        let desk = idle.unwrap_or_else(|| self.hire());
        desk.put(order);
    }

    fn hire(&mut self) -> Arc<Desk> {
        let desk = Arc::<Desk>::default();
        let caller = Caller {
            client: self.clients[self.callers.len() % self.clients.len()].clone(),
            payload: self.payload,
            desk: Arc::clone(&desk),
            idle: Arc::clone(&self.idle),
            notes: self.notebook.notes(),
        };
        self.callers.spawn(caller.run());
        desk
    }

    /// Waits for all answers, but not for ever. Calls without one are noted like those that failed.
    pub(super) async fn end(mut self) -> Result<Latencies, Error> {
        let end = Instant::now();
        while self.idle.lock().len() < self.callers.len() && end.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let lost = self.callers.len() - self.idle.lock().len();
        let mut notes = self.notebook.notes();
        (0..lost).for_each(|_| notes.add(PATIENCE));
        drop(notes);
        self.callers.shutdown().await;
        self.notebook.latencies()
    }
}

impl Desk {
    fn put(&self, order: Order) {
        *self.order.lock() = Some(order);
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }

    async fn take(&self) -> Order {
        poll_fn(|cx| {
            // Before the order is looked for, so that it is told of one that comes right after.
            *self.waker.lock() = Some(cx.waker().clone());
            self.order.lock().take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl<C: Contender> Caller<C> {
    async fn run(mut self) -> Result<(), Error> {
        let mut value = C::value(self.payload)?;
        loop {
            let Order { due, counts } = self.desk.take().await;
            let latency;
            (value, latency) = match self.client.call(value).await {
                Ok(value) => (value, due.elapsed()),
                Err(_) => (C::value(self.payload)?, PATIENCE),
            };
            if counts {
                self.notes.add(latency);
            }
            self.idle.lock().push(Arc::clone(&self.desk));
        }
    }
}
