use std::{
    future::ready,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use doge_rpc_core::{Deadline, Status, transport::Address};
use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use parking_lot::Mutex;
use tokio::{sync::Notify, task::AbortHandle, time::Instant};

use super::{ChannelConfig, ConnectWait, flap_detector::FlapDetector};
use crate::{
    connection::Connection,
    status_tables::may_resend,
    watch::{Connections, Observers, Subscription, Watch},
};

/// Keeps one connection to an address, or knows why there is none.
#[derive(Debug)]
pub(super) struct Connector {
    address: Address,
    config: ChannelConfig,
    current: ArcSwapOption<Connection>,
    /// Counts the connections, and sends their events to observers.
    connections: Arc<Connections>,
    /// The observers of the channel itself.
    _subscriptions: Vec<Subscription>,
    watch: Arc<Watch>,
    state: Mutex<State>,
    /// Ends the pause before an attempt.
    expected: Notify,
    /// The last connection ended with its runtime, which is no early loss.
    interrupted: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Since the last success: how many attempts failed in a row, and when the next one is due.
    failure: Option<Failure>,
    flap_detector: FlapDetector,
    /// The attempt under way, in a task of its own: a caller that gives up does not end it.
    attempt: Option<AttemptUnderWay>,
}

#[derive(Clone, Debug)]
struct Failure {
    in_a_row: u32,
    due: Instant,
    why: Status,
}

/// How a channel is connected, or why it is not.
#[derive(Debug)]
pub(crate) struct ConnectorStats {
    pub(crate) connected: bool,
    pub(crate) why_not: Option<String>,
    pub(crate) next_in: Option<Duration>,
    pub(crate) connections: u64,
}

type Attempt = Result<Arc<Connection>, Status>;

/// An attempt to connect that several callers wait for. They are woken in the order in which they came.
#[derive(Clone, Debug)]
struct AttemptUnderWay {
    ended: Shared<BoxFuture<'static, Attempt>>,
    /// Finished in the middle of the attempt if its runtime ends.
    task: AbortHandle,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// No attempt was done in time; why the last one failed, if one did.
    Late(Option<Status>),
    Failed(Status),
}

impl From<ConnectError> for Status {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Failed(status) => status,
            ConnectError::Late(Some(why)) => why,
            ConnectError::Late(None) => Self::unavailable("no connection in time").not_sent(),
        }
    }
}

impl Connector {
    pub(super) fn new(address: Address, config: ChannelConfig) -> Self {
        let connections = Arc::new(Connections::new(address.clone()));
        let observers = Observers::new(config.observers.clone());
        let subscriptions = observers
            .iter()
            .map(|it| connections.subscribe(it))
            .collect();
        Self {
            address,
            current: ArcSwapOption::empty(),
            connections,
            _subscriptions: subscriptions,
            watch: Arc::new(Watch::new(observers, config.sampler.clone(), config.timed)),
            config,
            state: Mutex::default(),
            expected: Notify::new(),
            interrupted: AtomicBool::new(false),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Counts and observes the calls over the channel itself.
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    pub(super) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    pub(super) fn stats(&self, now: Instant) -> ConnectorStats {
        let connected = self.is_connected();
        let failure = self.state.lock().failure.clone();
        let failure = failure.filter(|_| !connected);
        let why_not = match &failure {
            Some(failure) => Some(failure.why.message().to_owned()),
            None if connected => None,
            None => self.connections.why_last_closed(),
        };
        ConnectorStats {
            connected,
            why_not,
            next_in: failure.map(|failure| failure.due.saturating_duration_since(now)),
            connections: self.connections.opened(),
        }
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        self.config.connect_timeout
    }

    /// The connection, if there is one that takes calls.
    pub(super) fn current(&self) -> Option<Arc<Connection>> {
        let connection = self.current.load_full()?;
        if connection.is_closing() {
            self.discard(&connection);
            return None;
        }
        Some(connection)
    }

    /// Whether a call that ended so is sent again, over the next connection: it never left, and its connection takes no
    /// more calls. Refused over a connection that goes on, it would be refused again.
    pub(super) fn resends(&self, connection: &Arc<Connection>, status: &Status) -> bool {
        let resends = may_resend(status) && connection.is_closing();
        if resends {
            self.discard(connection);
        }
        resends
    }

    /// Puts a connection aside that takes no more calls; those in flight on it go on.
    fn discard(&self, connection: &Arc<Connection>) {
        if connection.was_interrupted() {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        self.current.compare_and_swap(connection, None);
    }

    /// Whether there is a connection that takes calls.
    pub(super) fn is_connected(&self) -> bool {
        let current = self.current.load();
        current.as_ref().is_some_and(|it| !it.is_closing())
    }

    /// Whether the last attempt failed and none has succeeded since.
    pub(super) fn is_down(&self) -> bool {
        self.current.load().is_none() && self.state.lock().failure.is_some()
    }

    /// How many attempts have failed since the last success.
    pub(super) fn failed_connects(&self) -> u32 {
        if self.is_connected() {
            return 0;
        }
        let state = self.state.lock();
        state.failure.as_ref().map_or(0, |failure| failure.in_a_row)
    }

    /// Tries again, if that is due, without anybody waiting for it; what comes of it shows in `is_down`. Whether an
    /// attempt is under way.
    pub(super) fn probe(self: &Arc<Self>) -> bool {
        self.attempt(false).is_ok()
    }

    /// Makes the next attempt due.
    pub(super) fn expect_up(&self) {
        if let Some(failure) = &mut self.state.lock().failure {
            failure.due = Instant::now();
        }
        self.expected.notify_waiters();
    }

    /// Takes a fresh connection instead of the one there is.
    pub(super) async fn renew(&self) -> Result<(), Status> {
        match self.open().await {
            Ok(connection) => {
                self.go_on_over(Arc::new(connection));
                Ok(())
            }
            Err(why) => {
                self.connections.failed(&why);
                Err(why)
            }
        }
    }

    /// Waits for a connection, so patiently, at most until the deadline.
    pub(super) async fn connect(
        self: &Arc<Self>,
        deadline: Deadline,
        wait: ConnectWait,
    ) -> Result<Arc<Connection>, ConnectError> {
        let (deadline, wait_for_ready) = (wait.until(deadline), wait.waits_for_ready());
        let mut why = None;
        let connected = tokio::time::timeout_at(deadline.instant(), async {
            loop {
                match self.attempt(wait_for_ready)?.await {
                    Err(status) if wait_for_ready => why = Some(status),
                    ended => break ended,
                }
            }
        })
        .await;
        match connected {
            Ok(connected) => connected.map_err(ConnectError::Failed),
            Err(_) => Err(ConnectError::Late(why)),
        }
    }

    /// The attempt under way, or a new one when that is due or will be waited for.
    fn attempt(
        self: &Arc<Self>,
        wait: bool,
    ) -> Result<Shared<BoxFuture<'static, Attempt>>, Status> {
        let mut state = self.state.lock();
        if self.current().is_none() {
            self.look_for_early_loss(&mut state);
        }
        if let Some(failure) = &state.failure
            && !wait
            && Instant::now() < failure.due
        {
            return Err(failure.why.clone());
        }
        // One whose task is gone, with its runtime, does not count.
        if let Some(attempt) = &state.attempt
            && !attempt.task.is_finished()
        {
            return Ok(attempt.ended.clone());
        }
        // Somebody else may have connected between the caller's look and this lock.
        if let Some(connection) = self.current() {
            return Ok(ready(Ok(connection)).boxed().shared());
        }
        let (connector, before) = (Arc::clone(self), state.failure.clone());
        let running = tokio::spawn(async move { connector.run(before).await });
        let task = running.abort_handle();
        let ended = running.map(|ended| ended.unwrap_or_else(|_| Err(stopped())));
        let ended = ended.boxed().shared();
        state.attempt = Some(AttemptUnderWay {
            ended: ended.clone(),
            task,
        });
        Ok(ended)
    }

    /// A connection that was lost as soon as it was made is a failure, though connecting went well.
    fn look_for_early_loss(&self, state: &mut State) {
        if self.interrupted.swap(false, Ordering::Relaxed) {
            state.flap_detector.forget();
        }
        let pause = |failures| self.config.backoff.pause(failures, &self.config.env);
        if let Some((in_a_row, pause)) = state.flap_detector.lost(Instant::now(), pause) {
            let why = format!("connections to {} are lost at once", self.address);
            state.failure = Some(Failure {
                in_a_row,
                due: Deadline::after(pause).instant(),
                why: Status::unavailable(why).not_sent(),
            });
        }
    }

    async fn run(&self, before: Option<Failure>) -> Attempt {
        if before.is_some() {
            let mut expected = pin!(self.expected.notified());
            // First, so that no notice is missed after the look at what is due.
            expected.as_mut().enable();
            let due = self
                .state
                .lock()
                .failure
                .as_ref()
                .map(|failure| failure.due);
            if let Some(due) = due {
                // Either way it is time.
                let _ = tokio::time::timeout_at(due, expected).await;
            }
        }
        let attempt = self.open().await.map(Arc::new);
        match &attempt {
            Ok(connection) => self.go_on_over(Arc::clone(connection)),
            Err(why) => {
                let in_a_row = before.map_or(0, |failure| failure.in_a_row) + 1;
                let pause = self.config.backoff.pause(in_a_row, &self.config.env);
                tracing::debug!(address = %self.address, %why, ?pause, "cannot connect");
                self.state.lock().failure = Some(Failure {
                    in_a_row,
                    due: Deadline::after(pause).instant(),
                    why: why.clone(),
                });
                self.connections.failed(why);
            }
        }
        self.state.lock().attempt = None;
        attempt
    }

    fn go_on_over(&self, connection: Arc<Connection>) {
        let mut state = self.state.lock();
        state.failure = None;
        state.flap_detector.opened(Instant::now());
        self.connections.next_generation();
        let before = self.current.swap(Some(connection));
        drop(state);
        // Closing it wakes its callers, who may come here next.
        drop(before);
    }

    async fn open(&self) -> Result<Connection, Status> {
        let limit = self.config.connect_timeout;
        let open = Connection::open(&self.address, &self.config, &self.connections);
        let late = |_| {
            let why = format!("no connection to {} within {limit:?}", self.address);
            Err(Status::unavailable(why).not_sent())
        };
        tokio::time::timeout(limit, open).await.unwrap_or_else(late)
    }
}

/// The task that dialled is gone: the runtime shuts down.
fn stopped() -> Status {
    Status::unavailable("the runtime shuts down").not_sent()
}
