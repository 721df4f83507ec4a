use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc::{
    call::{CancelReason, Cancellation, Route},
    prelude::*,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::{Notify, watch};

use super::soon;

/// Every method says which instance answers.
#[service(name = "probe")]
pub(crate) trait Probe {
    #[rpc(idempotent)]
    async fn read(&self, key: u64) -> Result<usize, Status>;

    /// Not to be done twice.
    async fn write(&self) -> Result<usize, Status>;

    #[rpc(idempotent, hedge = "20ms")]
    async fn hedged(&self) -> Result<usize, Status>;

    #[rpc(idempotent, retries = 1)]
    async fn once_more(&self) -> Result<usize, Status>;

    /// Has errors of its own: every failure of the act is one.
    #[rpc(idempotent)]
    async fn argue(&self) -> Result<usize, Trouble>;
}

/// An error of the application.
#[derive(Debug, PartialEq, Error, Serialize, Deserialize)]
pub(crate) enum Trouble {
    #[error("no, says instance {0}")]
    No(usize),
    #[error(transparent)]
    Status(#[from] Status),
}

/// What a handler does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Answer,
    Fail(Status),
    /// Waits until the test opens the gate of its instance.
    Gate,
    /// Never answers.
    Hang,
    /// Works for so long.
    Take(Duration),
}

impl Act {
    /// Fails so that the call may have run.
    pub(crate) fn break_off() -> Self {
        Self::Fail(Status::unavailable("broke off"))
    }
}

/// How a call reached its handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: &'static str,
    pub(crate) number: u8,
    pub(crate) retry: bool,
}

/// The handlers of one instance.
#[derive(Clone)]
pub(crate) struct Handlers(Arc<Shared>);

struct Shared {
    number: usize,
    act: Mutex<Act>,
    /// What the next calls do, whichever instance they reach, before each does as usual.
    next: Next,
    seen: Mutex<Vec<Seen>>,
    /// What came beside the last call.
    metadata: Mutex<Metadata>,
    /// Why handlers were stopped before they were done, in order.
    stopped: Mutex<Vec<CancelReason>>,
    running: watch::Sender<usize>,
    most_running: AtomicUsize,
    gate: Notify,
}

pub(crate) type Next = Arc<Mutex<VecDeque<Act>>>;

impl Handlers {
    pub(crate) fn new(number: usize, next: &Next) -> Self {
        Self(Arc::new(Shared {
            number,
            act: Mutex::new(Act::Answer),
            next: Arc::clone(next),
            seen: Mutex::default(),
            metadata: Mutex::default(),
            stopped: Mutex::default(),
            running: watch::Sender::new(0),
            most_running: AtomicUsize::new(0),
            gate: Notify::new(),
        }))
    }

    /// What the methods answer.
    pub(crate) fn number(&self) -> usize {
        self.0.number
    }

    /// From now on.
    pub(crate) fn act(&self, act: Act) {
        *self.0.act.lock().unwrap() = act;
    }

    /// Lets one call through the gate.
    pub(crate) fn open_gate(&self) {
        self.0.gate.notify_one();
    }

    /// Calls that began, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    /// How many calls began.
    pub(crate) fn started(&self) -> usize {
        self.0.seen.lock().unwrap().len()
    }

    /// What came beside the last call.
    pub(crate) fn metadata(&self, key: &str) -> Option<String> {
        let metadata = self.0.metadata.lock().unwrap();
        metadata.get_str(key).map(str::to_owned)
    }

    pub(crate) fn running(&self) -> usize {
        *self.0.running.borrow()
    }

    /// Why handlers were stopped before they were done, in order.
    pub(crate) fn stopped(&self) -> Vec<CancelReason> {
        self.0.stopped.lock().unwrap().clone()
    }

    /// The most that ran at once.
    pub(crate) fn most_running(&self) -> usize {
        self.0.most_running.load(Ordering::SeqCst)
    }

    /// Waits until so many calls run.
    pub(crate) async fn until_running(&self, count: usize) {
        let mut running = self.0.running.subscribe();
        soon(running.wait_for(|running| *running == count))
            .await
            .unwrap();
    }

    async fn run(&self, method: &'static str) -> Result<usize, Status> {
        let context = Context::current().unwrap();
        let attempt = context.attempt();
        *self.0.metadata.lock().unwrap() = context.metadata().clone();
        self.0.seen.lock().unwrap().push(Seen {
            method,
            number: attempt.number,
            retry: attempt.retry,
        });
        let next = self.0.next.lock().unwrap().pop_front();
        let act = next.unwrap_or_else(|| self.0.act.lock().unwrap().clone());
        let mut running = Run::new(&self.0);
        match &act {
            Act::Answer | Act::Fail(_) => {}
            Act::Gate => self.0.gate.notified().await,
            Act::Hang => std::future::pending().await,
            Act::Take(time) => tokio::time::sleep(*time).await,
        }
        running.done = true;
        if let Act::Fail(status) = act {
            return Err(status);
        }
        Ok(self.0.number)
    }
}

impl Probe for Handlers {
    async fn read(&self, _: u64) -> Result<usize, Status> {
        self.run("read").await
    }

    async fn write(&self) -> Result<usize, Status> {
        self.run("write").await
    }

    async fn hedged(&self) -> Result<usize, Status> {
        self.run("hedged").await
    }

    async fn once_more(&self) -> Result<usize, Status> {
        self.run("once_more").await
    }

    async fn argue(&self) -> Result<usize, Trouble> {
        self.run("argue")
            .await
            .map_err(|_| Trouble::No(self.0.number))
    }
}

impl ProbeClient {
    /// A method, for those who build requests.
    pub(crate) fn route(method: &str) -> Route {
        Route::from(Self::schema().method(method).unwrap())
    }
}

/// A handler that runs; stopping it drops this.
struct Run<'a> {
    shared: &'a Shared,
    done: bool,
}

impl<'a> Run<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.running.send_modify(|running| {
            *running += 1;
            shared.most_running.fetch_max(*running, Ordering::SeqCst);
        });
        Self {
            shared,
            done: false,
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if !self.done {
            let reason = Cancellation::current().reason();
            self.shared.stopped.lock().unwrap().push(reason);
        }
        self.shared.running.send_modify(|running| *running -= 1);
    }
}
