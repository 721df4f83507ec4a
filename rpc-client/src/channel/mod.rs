//! The calls to one address.

mod connector;
mod exchange;
mod flap_detector;
mod pool;
mod stats;

use std::{sync::Arc, time::Duration};

pub use doge_base::Backoff;
use doge_base::Env;
use doge_rpc_core::{
    Deadline, Status,
    call::{Request, Response},
    connection::Limits,
    observe::Observer,
    transport::{self, Address, Transport},
};
use tokio::time::Instant;
use tracing::Instrument as _;

use self::connector::{ConnectError, Connector, ConnectorStats};
pub(crate) use self::exchange::{Exchange, Exchanged};
pub use self::{pool::ChannelPool, stats::ChannelStats};
use crate::{
    MsgpackRpcConfig,
    connection::Connection,
    late::{WaitedFor, late},
    watch::{Call, Progress, SpanSampler, Subscription},
};

/// The calls to one address, over one multiplexed connection, or over several where MessagePack-RPC is spoken
/// ([`MsgpackRpcConfig`]). Cheap to clone; all clones share the connection.
///
/// It connects with the first call, and again when the connection is lost, with a growing and jittered pause
/// between failures. A call that provably never left is sent again over the next connection.
///
/// ```no_run
/// use doge_rpc_client::Channel;
///
/// let channel = Channel::new("tcp://127.0.0.1:4399".parse()?);
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Channel {
    connector: Arc<Connector>,
}

/// How a channel connects.
///
/// ```
/// use std::time::Duration;
///
/// use doge_rpc_client::{Backoff, Channel, ChannelConfig};
///
/// let config = ChannelConfig {
///     connect_timeout: Duration::from_millis(200),
///     backoff: Backoff { longest: Duration::from_secs(5), ..Backoff::default() },
///     ..ChannelConfig::default()
/// };
/// let channel = Channel::with_config("tcp://127.0.0.1:4399".parse()?, config);
/// assert!(!channel.is_down());
/// # Ok::<(), doge_rpc_core::transport::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// What a connection may cost, and when it counts as dead.
    pub limits: Limits,
    /// How long an attempt to connect may take, up to the server's hello. 1 s.
    pub connect_timeout: Duration,
    /// Pauses between failed attempts to connect.
    pub backoff: Backoff,
    /// How an endpoint is called that speaks MessagePack-RPC.
    pub msgpack_rpc: MsgpackRpcConfig,
    /// What connections are made with: the sockets of the system.
    pub transport: Arc<dyn Transport>,
    /// Where the channel takes chance from, such as the jitter of pauses: the system.
    pub env: Env,
    /// Those who watch the channel: its connections, and the calls that are made over the channel itself. The calls of a
    /// cluster are seen by the observers of the cluster.
    pub observers: Vec<Arc<dyn Observer>>,
    /// Which calls over the channel itself get a span, while a subscriber collects spans of the target `doge::call`. All.
    pub sampler: Option<SpanSampler>,
    /// Takes the times of calls over the channel itself, for [`ChannelStats`]. Off: the clock is the dearest part of
    /// counting.
    pub timed: bool,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            connect_timeout: Duration::from_secs(1),
            backoff: Backoff::default(),
            msgpack_rpc: MsgpackRpcConfig::default(),
            transport: transport::sockets(),
            env: Env::system(),
            observers: Vec::new(),
            sampler: None,
            timed: false,
        }
    }
}

/// How often a call that never ran is sent again over a fresh connection before that is reported. It bounds what a
/// server that accepts and hangs up at once can cost.
const MAX_RESENDS: usize = 3;

impl Channel {
    /// A channel to this address, as the defaults have it. Nothing is connected yet.
    pub fn new(address: Address) -> Self {
        Self::with_config(address, ChannelConfig::default())
    }

    /// A channel to this address. Nothing is connected yet.
    pub fn with_config(address: Address, config: ChannelConfig) -> Self {
        Self {
            connector: Arc::new(Connector::new(address, config)),
        }
    }

    /// Where its calls go.
    pub fn address(&self) -> &Address {
        self.connector.address()
    }

    /// Makes one call. Dropping the future tells the server to stop.
    ///
    /// Without a connection, the call waits for the attempt under way. If the last attempt failed and the next is
    /// not due, it fails at once, or, when it [waits for ready](Request::waits_for_ready), waits until its deadline.
    ///
    /// # Errors
    ///
    /// The status of the call; [`Status::never_ran`] tells whether it can have reached the handler.
    pub async fn call(&self, request: &Request) -> Result<Response, Status> {
        let answer = self.call_at(request, Instant::now()).await;
        answer.map_err(|status| status.received_from(request.route()))
    }

    /// Makes one call that begins `now`.
    pub(crate) async fn call_at(
        &self,
        request: &Request,
        now: Instant,
    ) -> Result<Response, Status> {
        let watch = self.connector.watch();
        if watch.is_on() {
            return Box::pin(self.watched_call(request, now)).await;
        }
        let counted = watch.calls.begin();
        let answer = match self.exchange(request, now).await {
            Exchanged::Answered(answer) => answer,
            Exchanged::NotSent { resends } => {
                let wait = ConnectWait::of_call(request);
                Box::pin(self.call_slowly(wait, request, now, resends)).await
            }
        };
        if let Err(status) = &answer {
            watch.failed(request, status);
        }
        counted.end(&answer);
        answer
    }

    /// The usual course of one call, which begins `now`; [`call_slowly`](Self::call_slowly) is what comes after.
    #[inline]
    pub(crate) fn exchange<'a>(&'a self, request: &'a Request, now: Instant) -> Exchange<'a> {
        Exchange::new(&self.connector, request, now)
    }

    async fn watched_call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        let (address, progress) = (Some(self.address()), Progress::default());
        let call = Call::begin(self.connector.watch(), request, address, &progress, now);
        progress.attempt();
        let running = self.call_slowly(ConnectWait::of_call(request), request, now, 0);
        let answer = running.instrument(call.span()).await;
        call.end(&answer);
        answer
    }

    /// What it has done so far, and how it is connected.
    pub fn stats(&self) -> ChannelStats {
        ChannelStats::of(
            self.connector_stats(Instant::now()),
            &self.connector.watch().calls,
        )
    }

    pub(crate) fn connector_stats(&self, now: Instant) -> ConnectorStats {
        self.connector.stats(now)
    }

    /// Tells an observer of the connections.
    pub(crate) fn subscribe(&self, observer: &Arc<dyn Observer>) -> Subscription {
        self.connector.connections().subscribe(observer)
    }

    /// Makes one call, whatever that takes: it connects first, waits for room on the connection, and sends again what had
    /// not left a lost connection, which has happened `resends` times before. The call begins `now`.
    pub(crate) async fn call_slowly(
        &self,
        wait: ConnectWait,
        request: &Request,
        mut now: Instant,
        mut resends: usize,
    ) -> Result<Response, Status> {
        if resends > 0 {
            // A part of its time has passed on the connection that was lost.
            now = Instant::now();
        }
        loop {
            let connection = match self.connector.current() {
                Some(connection) => connection,
                None => {
                    let connection = self.connect(request, wait, now).await?;
                    now = Instant::now();
                    connection
                }
            };
            let answer = match &*connection {
                Connection::Native(native) => native.call(request, now).await,
                Connection::MsgpackRpc(pool) => pool.call(request, now).await,
            };
            match answer {
                Err(status)
                    if resends < MAX_RESENDS && self.connector.resends(&connection, &status) =>
                {
                    resends += 1;
                    now = Instant::now();
                }
                answer => return answer,
            }
        }
    }

    async fn connect(
        &self,
        request: &Request,
        wait: ConnectWait,
        began: Instant,
    ) -> Result<Arc<Connection>, Status> {
        let connected = self.connector.connect(request.deadline(), wait).await;
        connected.map_err(|error| match error {
            // The call still has time, for another endpoint.
            ConnectError::Late(_) if !request.deadline().has_passed() => error.into(),
            ConnectError::Late(why) => {
                let late = late(request, Some(self.address()), WaitedFor::Connection, began);
                match why {
                    Some(why) => late.context(why.message()),
                    None => late,
                }
            }
            ConnectError::Failed(status) => status,
        })
    }

    /// Whether the last attempt to connect failed and none has succeeded since.
    pub fn is_down(&self) -> bool {
        self.connector.is_down()
    }

    /// Whether there is a connection that takes calls.
    pub fn is_connected(&self) -> bool {
        self.connector.is_connected()
    }

    /// Whether this and `other` are one and the same, and so share a connection.
    pub fn shares_connection_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.connector, &other.connector)
    }

    /// A number that grows when calls go over another connection than before, or one of several was lost.
    pub(crate) fn connection_generation(&self) -> u64 {
        self.connector.connections().generation()
    }

    /// Begins to connect if there is no connection and the next attempt is due, without anybody waiting for it. Whether
    /// an attempt is under way.
    pub(crate) fn keep_connected(&self) -> bool {
        !self.is_connected() && self.connector.probe()
    }

    /// Waits for a connection, as long as an attempt to connect is under way or due. Whether there is a connection.
    pub(crate) async fn connected_by(&self, until: Instant) -> bool {
        let deadline = Deadline::at(until);
        let connected = self
            .connector
            .connect(deadline, ConnectWait::UNTIL_DEADLINE);
        self.is_connected() || connected.await.is_ok()
    }

    /// How many attempts to connect have failed in a row; 0 while there is a connection.
    pub(crate) fn failed_connects(&self) -> u32 {
        self.connector.failed_connects()
    }

    /// Makes the next attempt to connect due: there is reason to believe that it will go well.
    pub(crate) fn expect_up(&self) {
        self.connector.expect_up();
    }

    /// Proves with a fresh connection that the address answers, and goes on over that one; calls in flight end over
    /// the one they are on. Cancel safe.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with the reason.
    pub(crate) async fn renew(&self) -> Result<(), Status> {
        self.connector.renew().await
    }

    /// Connects, unless it is connected. Cancel safe.
    ///
    /// # Errors
    ///
    /// `Unavailable` with the reason, or `DeadlineExceeded` when it takes longer than the connect timeout.
    pub async fn ready(&self) -> Result<(), Status> {
        if self.connector.current().is_none() {
            let deadline = Deadline::after(self.connector.connect_timeout());
            self.connector
                .connect(deadline, ConnectWait::UNTIL_DEADLINE)
                .await?;
        }
        Ok(())
    }
}

/// How much of its time a call waits for a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConnectWait {
    /// All of it, over several attempts to connect if it waits for ready.
    UntilDeadline { wait_for_ready: bool },
    /// Half of what is left, so that something is left for elsewhere.
    HalfOfRemaining,
}

impl ConnectWait {
    /// That of an attempt that no other follows.
    pub(crate) const UNTIL_DEADLINE: Self = Self::UntilDeadline {
        wait_for_ready: false,
    };

    /// That of a call which goes nowhere else.
    pub(crate) fn of_call(request: &Request) -> Self {
        Self::UntilDeadline {
            wait_for_ready: request.waits_for_ready(),
        }
    }

    /// What an endpoint gets: one that hangs must not use up the time of the next, if there is a next.
    pub(crate) fn of_attempt(alone: bool) -> Self {
        if alone {
            Self::UNTIL_DEADLINE
        } else {
            Self::HalfOfRemaining
        }
    }

    fn until(self, deadline: Deadline) -> Deadline {
        match self {
            Self::UntilDeadline { .. } => deadline,
            Self::HalfOfRemaining => Deadline::after(deadline.remaining() / 2),
        }
    }

    fn waits_for_ready(self) -> bool {
        matches!(
            self,
            Self::UntilDeadline {
                wait_for_ready: true
            }
        )
    }
}
