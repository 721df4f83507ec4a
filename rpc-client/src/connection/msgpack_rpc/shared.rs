use std::{
    io,
    sync::{Arc, OnceLock, atomic::AtomicUsize},
    time::Duration,
};

use doge_rpc_core::{
    Status,
    call::Request,
    msgpack_rpc::AskOptions,
    transport::{Address, Transport},
};
use parking_lot::Mutex;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    MsgpackRpcConfig, failure::Failure, idle::Idle, places::Places, socket::Socket,
    unserved::Unserved,
};
use crate::{
    ChannelConfig,
    connection::{no_connection, waiting::Waiting},
    late::{WaitedFor, expired, late},
    watch::Connections,
};

/// What the calls of a pool share.
#[derive(Debug)]
pub(super) struct Shared {
    address: Address,
    /// How calls are written.
    pub(super) options: AskOptions,
    max_message: usize,
    transport: Arc<dyn Transport>,
    connect_timeout: Duration,
    /// One for each connection that is in use or being made. A caller that finds no idle connection makes one, so that
    /// there never are more connections than places.
    places: Places,
    waiting: AtomicUsize,
    free: Mutex<Free>,
    /// Why there is no connection any more.
    end: OnceLock<Status>,
    connections: Arc<Connections>,
}

/// Connections that no call uses, and who else would have their turn.
#[derive(Debug)]
struct Free {
    idle: Idle<Socket>,
    unserved: Unserved,
    /// When a call was answered last.
    answered: Option<Instant>,
}

/// The least time that an idle connection is kept.
const LEAST_IDLE: Duration = Duration::from_secs(1);

/// A call that asks for the turn of another connection, until it is over.
pub(super) struct Asking<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.shared.free.lock().unserved.leave(self.number);
    }
}

/// Why there is no further connection.
struct NoConnection {
    why: Status,
    /// Nobody listens at the address.
    gone: bool,
}

impl Shared {
    pub(super) fn new(
        address: &Address,
        meta: bool,
        config: &ChannelConfig,
        connections: &Arc<Connections>,
    ) -> Self {
        let MsgpackRpcConfig {
            connections: most,
            idle,
            max_message,
            framework_keys,
            qualified_methods,
        } = config.msgpack_rpc;
        Self {
            address: address.clone(),
            options: AskOptions {
                meta,
                framework_keys,
                qualified: qualified_methods,
            },
            max_message,
            transport: Arc::clone(&config.transport),
            connect_timeout: config.connect_timeout,
            places: Places::new(most),
            waiting: AtomicUsize::new(0),
            free: Mutex::new(Free {
                idle: Idle::new(idle.max(LEAST_IDLE)),
                unserved: Unserved::default(),
                answered: None,
            }),
            end: OnceLock::new(),
            connections: Arc::clone(connections),
        }
    }

    /// Makes the first connection.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with what the system says.
    pub(super) async fn open(&self) -> Result<(), Status> {
        let first = self.connect().await.map_err(|none| none.why)?;
        self.rest(first);
        Ok(())
    }

    /// Whether new calls should go elsewhere.
    pub(super) fn is_closed(&self) -> bool {
        self.end.get().is_some()
    }

    /// A connection that nobody else uses, and the place of it. Those who wait get theirs in the order in which they
    /// came. Cancel safe: a caller that is gone has lost its turn.
    pub(super) async fn take(self: &Arc<Self>) -> Result<(OwnedSemaphorePermit, Socket), Status> {
        let mut held = None;
        loop {
            let place = match held.take() {
                Some(place) => place,
                None => self.place().await?,
            };
            match self.idle() {
                Ok(Some(socket)) => return Ok((place, socket)),
                Ok(None) => held = self.connect_once_more(place).await?,
                Err(refused) => self.refused(place, refused)?,
            }
        }
    }

    /// Keeps a connection for the next call; closes it if another one has had to wait for its turn.
    pub(super) fn rest(&self, mut socket: Socket) {
        socket.rest();
        let was_used = socket.was_used();
        let now = Instant::now();
        let mut free = self.free.lock();
        if was_used {
            free.answered = Some(now);
        }
        let closes = was_used && free.unserved.takes_turn();
        if !closes && self.end.get().is_none() {
            free.idle.push(socket, now);
            return;
        }
        // Closed before the place is free for another one.
        drop(free);
        if closes {
            socket.closes("another connection had to have its turn");
        }
        drop(socket);
    }

    /// Asks for the turn of a connection that is idle, or of the next one that is free, unless `asking` still does.
    /// Connections that no call was made on are closed in any case: the server may have taken one of them instead.
    pub(super) fn ask_for_turn<'a>(&'a self, asking: &mut Option<Asking<'a>>) {
        let mut free = self.free.lock();
        let mut closed = free.idle.take_like(|socket| !socket.was_used());
        let still = asking.as_ref().map(|asking| asking.number);
        if still.is_none_or(|number| !free.unserved.is_asking(number)) {
            match free.idle.pop_oldest() {
                Some(oldest) => closed.push(oldest),
                None => {
                    let number = free.unserved.ask();
                    drop(free);
                    *asking = Some(Asking {
                        shared: self,
                        number,
                    });
                }
            }
        }
        for socket in &mut closed {
            socket.closes("another connection had to have its turn");
        }
        drop(closed);
    }

    /// The server refused the connection of this place. Whether the caller should wait for one of the others, which
    /// work; the pool does with fewer for a while then.
    pub(super) fn does_without(&self, place: OwnedSemaphorePermit) -> bool {
        let now = Instant::now();
        let answered = self.free.lock().answered;
        let works = answered.is_some_and(|at| now - at <= self.connect_timeout);
        let does = works && self.places.give_up(place, now);
        if does {
            tracing::debug!(address = %self.address, connections = self.places.size(), "the server refused a further connection");
        }
        does
    }

    /// Takes no more calls, for this reason.
    pub(super) fn close(&self, why: Status) {
        let text = why.message().to_owned();
        if self.end.set(why).is_ok() {
            self.places.close();
            let mut idle = self.free.lock().idle.take();
            idle.iter_mut().for_each(|it| it.closes(text.clone()));
        }
    }

    /// Closes what has been idle for too long, and says when to look again.
    pub(super) fn expire(&self, now: Instant) -> Instant {
        let (mut old, next) = self.free.lock().idle.expire(now);
        old.iter_mut()
            .for_each(|it| it.closes("it was idle for too long"));
        if !old.is_empty() {
            tracing::debug!(address = %self.address, count = old.len(), "closing connections that were idle for too long");
        }
        next
    }

    pub(super) fn failed(&self, failure: Failure, request: &Request) -> Status {
        if failure.is_loss() {
            self.connections.next_generation();
        }
        let status = failure.into_status(&self.address, request);
        tracing::debug!(address = %self.address, %status, "a connection brought no answer");
        status
    }

    /// The answer of a call that had so much time is not there, or came too late.
    pub(super) fn late(&self, request: &Request, time: Duration) -> Status {
        self.waited_in_vain(request, WaitedFor::Answer, time)
    }

    /// The time of the call was over before it began.
    pub(super) fn expired(&self, request: &Request) -> Status {
        expired(request, Some(&self.address))
    }

    /// There was no connection for a call that had so much time.
    pub(super) fn no_room(&self, request: &Request, time: Duration) -> Status {
        let most = self.places.size();
        self.waited_in_vain(request, WaitedFor::FreeConnection { most }, time)
    }

    fn waited_in_vain(&self, request: &Request, waited_for: WaitedFor, time: Duration) -> Status {
        let deadline = request.deadline().instant();
        let began = deadline.checked_sub(time).unwrap_or(deadline);
        late(request, Some(&self.address), waited_for, began)
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        if let Some(place) = self.places.try_take() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.waiting)?;
        let place = self.places.take().await;
        // They are closed with the pool.
        place.map_err(|_| self.end.get().cloned().unwrap_or_else(stopped))
    }

    /// An idle connection, of those that can be used, if there is one.
    fn idle(&self) -> Result<Option<Socket>, NoConnection> {
        loop {
            let Some(mut socket) = self.free.lock().idle.pop() else {
                return Ok(None);
            };
            if socket.was_interrupted() {
                socket.closes("the runtime that it was made on was shut down");
                continue;
            }
            if socket.is_quiet() {
                return Ok(Some(socket));
            }
            socket.closes("the server hung up, or sent what nobody asked for");
            if socket.is_new(Instant::now()) {
                // A server that has no room may accept and close at once.
                return Err(NoConnection {
                    why: no_connection(&self.address, "the server hung up at once"),
                    gone: false,
                });
            }
            tracing::debug!(address = %self.address, "closing an idle connection: the peer closed it or sent unexpected data");
        }
    }

    /// Makes a connection, which is idle then; in a task of its own, so that it is there for others if the caller gives
    /// up, and so that a server that takes no connections is found out however little time its callers have. `None`
    /// when the server refuses it and the caller has to wait for another one.
    async fn connect_once_more(
        self: &Arc<Self>,
        place: OwnedSemaphorePermit,
    ) -> Result<Option<OwnedSemaphorePermit>, Status> {
        if let Some(why) = self.end.get() {
            return Err(why.clone());
        }
        let shared = Arc::clone(self);
        let connecting = tokio::spawn(async move {
            match shared.connect().await {
                Ok(socket) => {
                    shared.rest(socket);
                    Ok(Some(place))
                }
                Err(refused) => shared.refused(place, refused).map(|()| None),
            }
        });
        connecting.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// There is no connection for this place. The pool does without it, or ends.
    fn refused(&self, place: OwnedSemaphorePermit, refused: NoConnection) -> Result<(), Status> {
        let NoConnection { why, gone } = refused;
        if !gone && self.does_without(place) {
            return Ok(());
        }
        self.close(why.clone());
        Err(why)
    }

    async fn connect(&self) -> Result<Socket, NoConnection> {
        let none = |why: &dyn std::fmt::Display, gone| NoConnection {
            why: no_connection(&self.address, why),
            gone,
        };
        let limit = self.connect_timeout;
        let stream = self.transport.connect(self.address.location(), limit);
        let stream = timeout(limit, stream).await;
        let stream = stream.map_err(|_| none(&format_args!("not within {limit:?}"), false))?;
        let stream = stream.map_err(|error| {
            let gone = error.kind() == io::ErrorKind::ConnectionRefused;
            none(&error, gone)
        })?;
        let open = self.connections.open();
        Ok(Socket::new(stream, self.max_message, open, Instant::now()))
    }
}

/// The task that connected is gone, or the pool is closed by its runtime.
fn stopped() -> Status {
    Status::unavailable("the runtime shuts down").not_sent()
}
