use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use doge_rpc_core::{
    Status,
    call::{Request, Response},
    transport::{Address, Stream},
};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{MsgpackRpcConfig, failure::Failure, idle::Idle, reaper::Reaper, socket::Socket};
use crate::{
    ChannelConfig,
    connection::{no_connection, waiting::Waiting},
    watch::Connections,
};

/// Connections to one server, of which each call has one for itself.
///
/// It takes calls until it cannot connect once more. Then whoever waits is told so, and those in flight go on.
#[derive(Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    _reaper: Reaper,
}

#[derive(Debug)]
struct Shared {
    address: Address,
    /// Whether a map of metadata comes in front of the params.
    meta: bool,
    max_message: usize,
    connect_timeout: Duration,
    /// One for each connection that is in use or being made. Whoever finds none that is idle makes one, so that there
    /// never are more than there are places.
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Idle<Socket>>,
    /// Why there is no connection any more.
    end: OnceLock<Status>,
    /// Connections that were lost under a call, counted for the health of the endpoint.
    losses: Arc<AtomicU64>,
    opened: Arc<Connections>,
}

/// The least time that an idle connection is kept.
const LEAST_IDLE: Duration = Duration::from_secs(1);

impl Pool {
    /// Connects once. Cancel safe: a dropped attempt leaves nothing behind.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with what the system says.
    pub(crate) async fn open(
        address: &Address,
        meta: bool,
        config: &ChannelConfig,
        losses: &Arc<AtomicU64>,
        opened: &Arc<Connections>,
    ) -> Result<Self, Status> {
        let MsgpackRpcConfig {
            connections,
            idle,
            max_message,
        } = config.msgpack_rpc;
        let shared = Arc::new(Shared {
            address: address.clone(),
            meta,
            max_message,
            connect_timeout: config.connect_timeout,
            places: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            idle: Mutex::new(Idle::new(idle.max(LEAST_IDLE))),
            end: OnceLock::new(),
            losses: Arc::clone(losses),
            opened: Arc::clone(opened),
        });
        let first = shared.connect().await?;
        shared.rest(first);
        let pool = Arc::downgrade(&shared);
        let reaper = Reaper::start(move |now| Some(pool.upgrade()?.expire(now)));
        Ok(Self {
            shared,
            _reaper: reaper,
        })
    }

    /// Makes one call, which begins `now`. Dropping the future closes the connection that the call is on. It is boxed, so
    /// that nothing of it is in the future of a native call.
    ///
    /// # Errors
    ///
    /// The status of the call.
    pub(crate) fn call<'a>(
        &'a self,
        request: &'a Request,
        now: Instant,
    ) -> BoxFuture<'a, Result<Response, Status>> {
        Box::pin(self.make_call(request, now))
    }

    /// Whether new calls should go elsewhere.
    pub(crate) fn is_closing(&self) -> bool {
        self.shared.end.get().is_some()
    }

    async fn make_call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        let (shared, deadline) = (&self.shared, request.deadline().instant());
        if deadline <= now {
            let why = "the deadline passed before the call was sent";
            return Err(Status::deadline_exceeded(why).not_sent());
        }
        loop {
            let taken = timeout_at(deadline, shared.take()).await;
            // In this order, so that the connection is closed when others may make one.
            let (_place, mut socket) = taken.unwrap_or_else(|_| Err(shared.no_room()))?;
            let was_used = socket.was_used();
            let failure = match timeout_at(deadline, socket.call(request, shared.meta)).await {
                Ok(Ok(response)) => {
                    shared.rest(socket);
                    return Ok(response);
                }
                Ok(Err(failure)) => failure,
                Err(_) => {
                    socket.closes("its call was not answered before the deadline");
                    return Err(shared.late(request));
                }
            };
            socket.closes(failure.to_string());
            match failure {
                // It was lost just before, which says nothing about the others.
                Failure::Unsent(_) if was_used => continue,
                Failure::Refused(_) => shared.rest(socket),
                _ => {}
            }
            return Err(shared.failed(failure, request));
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared
            .close(Status::unavailable("the channel was closed").not_sent());
    }
}

impl Shared {
    /// A connection that nobody else uses, and the place of it. Those who wait get theirs in the order in which they
    /// came. Cancel safe: whoever is gone has lost its turn.
    async fn take(self: &Arc<Self>) -> Result<(OwnedSemaphorePermit, Socket), Status> {
        let mut place = self.place().await?;
        loop {
            if let Some(socket) = self.idle() {
                return Ok((place, socket));
            }
            if let Some(why) = self.end.get() {
                return Err(why.clone());
            }
            place = self.connect_once_more(place).await?;
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let places = || Arc::clone(&self.places);
        if let Ok(place) = places().try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.waiting)?;
        let place = places().acquire_owned().await;
        // It is closed with the pool.
        place.map_err(|_| self.end.get().cloned().unwrap_or_else(stopped))
    }

    /// An idle connection, of those that can be used.
    fn idle(&self) -> Option<Socket> {
        loop {
            let mut socket = self.idle.lock().pop()?;
            if socket.is_quiet() {
                return Some(socket);
            }
            socket.closes("the server hung up, or sent what nobody asked for");
            tracing::debug!(address = %self.address, "an idle connection was hung up or spoke unasked, and is closed");
        }
    }

    /// Makes a connection, which is idle then; in a task of its own, so that it is there for others if the caller gives
    /// up, and so that a server that takes no connections is found out however little time its callers have.
    async fn connect_once_more(
        self: &Arc<Self>,
        place: OwnedSemaphorePermit,
    ) -> Result<OwnedSemaphorePermit, Status> {
        let shared = Arc::clone(self);
        let connecting = tokio::spawn(async move {
            let limit = shared.connect_timeout;
            let late = |_| {
                Err(no_connection(
                    &shared.address,
                    format_args!("not within {limit:?}"),
                ))
            };
            match timeout(limit, shared.connect()).await.unwrap_or_else(late) {
                Ok(socket) => {
                    shared.rest(socket);
                    Ok(place)
                }
                Err(why) => {
                    shared.close(why.clone());
                    Err(why)
                }
            }
        });
        connecting.await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn connect(&self) -> Result<Socket, Status> {
        match Stream::connect(&self.address).await {
            Ok(stream) => {
                let open = self.opened.open();
                Ok(Socket::new(stream, self.max_message, open, Instant::now()))
            }
            Err(error) => Err(no_connection(&self.address, error)),
        }
    }

    /// Keeps a connection for the next call.
    fn rest(&self, mut socket: Socket) {
        socket.rest();
        let mut idle = self.idle.lock();
        if self.end.get().is_none() {
            idle.push(socket, Instant::now());
        }
    }

    /// Takes no more calls, for this reason.
    fn close(&self, why: Status) {
        let text = why.message().to_owned();
        if self.end.set(why).is_ok() {
            self.places.close();
            let mut idle = self.idle.lock().take();
            idle.iter_mut().for_each(|it| it.closes(text.clone()));
        }
    }

    /// Closes what has been idle for too long, and says when to look again.
    fn expire(&self, now: Instant) -> Instant {
        let (mut old, next) = self.idle.lock().expire(now);
        old.iter_mut()
            .for_each(|it| it.closes("it was idle for too long"));
        if !old.is_empty() {
            tracing::debug!(address = %self.address, count = old.len(), "idle connections are closed");
        }
        next
    }

    fn failed(&self, failure: Failure, request: &Request) -> Status {
        if failure.is_loss() {
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
        let status = failure.into_status(&self.address, request);
        tracing::debug!(address = %self.address, %status, "a connection brought no answer");
        status
    }

    fn late(&self, request: &Request) -> Status {
        Status::deadline_exceeded(format!(
            "{} has not answered {} before the deadline",
            self.address,
            request.route()
        ))
    }

    fn no_room(&self) -> Status {
        let why = format!(
            "no connection to {} was free before the deadline",
            self.address
        );
        Status::deadline_exceeded(why).not_sent()
    }
}

/// The task that connected is gone, or the pool is closed by its runtime.
fn stopped() -> Status {
    Status::unavailable("the runtime shuts down").not_sent()
}
