//! One socket, many calls: callers meet the connection's state under a short lock, and one task reads, writes what
//! callers leave to it, and keeps the time.

mod answer;
mod task;

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker, ready},
};

use doge_rpc_core::{
    Status,
    call::{Cancellation, Request, Response},
    connection::{ClientConnection, Refusal},
    driver::{FrameReader, Link},
    protocol::Codec,
    transport::Address,
};
use tokio::{sync::Notify, time::Instant};

use self::{answer::Answer, task::Task};
use super::{no_connection, waiting::Waiting};
use crate::{
    ChannelConfig,
    late::{WaitedFor, expired, late},
    watch::Connections,
};

/// An open connection. Its task ends once this is dropped, which a call in flight does not let happen.
#[derive(Debug)]
pub(crate) struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    link: Link<ClientConnection>,
    address: Address,
    /// Callers that wait for room, one woken at a time.
    room: Notify,
    waiting: AtomicUsize,
    /// The state says so as well; each call looks, and should not have to take the lock for it.
    closing: AtomicBool,
    /// The task of the connection is gone, and did not end: its runtime was shut down.
    interrupted: AtomicBool,
}

/// Why there is no connection.
enum Unopened {
    /// The server shuts down.
    Drained(Status),
    Failed(Status),
}

/// Servers that shut down, one after the other, that are left for the next at the same address.
const MAX_DRAINED: u32 = 3;

impl Connection {
    /// Connects and says hello. Cancel safe: a dropped attempt leaves nothing behind.
    ///
    /// A server that shuts down instead of saying hello is left for whoever else listens at the address, without a pause: a
    /// process that shares the port, or another host behind a load balancer.
    ///
    /// # Errors
    ///
    /// `Unavailable`, with what failed: the socket, or the peer's hello.
    pub(crate) async fn open(
        address: &Address,
        config: &ChannelConfig,
        connections: &Arc<Connections>,
    ) -> Result<Self, Status> {
        let mut drained = 0;
        loop {
            match Self::open_once(address, config, connections).await {
                Err(Unopened::Drained(_)) if drained < MAX_DRAINED => drained += 1,
                Err(Unopened::Drained(why) | Unopened::Failed(why)) => return Err(why),
                Ok(connection) => return Ok(connection),
            }
        }
    }

    async fn open_once(
        address: &Address,
        config: &ChannelConfig,
        connections: &Arc<Connections>,
    ) -> Result<Self, Unopened> {
        let refused = |why: &dyn std::fmt::Display| no_connection(address, why);
        let (limits, transport) = (&config.limits, &config.transport);
        let stream = transport.connect(address.location(), config.connect_timeout);
        let stream = stream
            .await
            .map_err(|error| Unopened::Failed(refused(&error)))?;
        let (read, write) = stream.split();
        let machine = ClientConnection::new(limits.clone(), Instant::now());
        let shared = Arc::new(Shared {
            link: Link::new(machine, write),
            address: address.clone(),
            room: Notify::new(),
            waiting: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
        });
        let mut task = Task::new(
            Arc::clone(&shared),
            FrameReader::new(
                read,
                Codec::new(limits.max_frame, limits.max_frame),
                Instant::now(),
            ),
        );
        match tokio::time::timeout(limits.handshake_timeout, task.until_open()).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => {
                let why = refused(&why.message());
                return Err(match shared.link.lock().is_drained() {
                    true => Unopened::Drained(why),
                    false => Unopened::Failed(why),
                });
            }
            Err(_) => {
                let why = format_args!("no hello within {:?}", limits.handshake_timeout);
                return Err(Unopened::Failed(refused(&why)));
            }
        }
        task.opened(connections.open());
        tokio::spawn(task);
        Ok(Self { shared })
    }

    /// Starts a call if there is room for it now; the answer wakes `waker`. The id of the call, or `None` when the
    /// call cannot be started so: [`call`](Self::call) waits for room, or says why not.
    #[inline]
    pub(crate) fn start_now(&self, request: &Request, now: Instant, waker: &Waker) -> Option<u64> {
        self.try_start(request, now, waker).ok()
    }

    /// The answer of a started call, or the status of its deadline. Not to be polled after it was ready.
    #[inline]
    pub(crate) fn poll_answer(
        &self,
        request: &Request,
        began: Instant,
        call: u64,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response, Status>> {
        let answer = ready!(self.shared.link.lock().poll_answer(call, cx));
        self.shared.pass_room_on();
        Poll::Ready(answer.unwrap_or_else(|| Err(self.late(request, WaitedFor::Answer, began))))
    }

    /// Gives a started call up, which tells the server to stop.
    pub(crate) fn abandon(&self, call: u64) {
        let mut machine = self.shared.link.lock();
        machine.abandon(call, Cancellation::of_dropped_call);
        let done = machine.is_closing() && machine.in_flight() == 0;
        self.shared.link.send(machine);
        if done {
            self.shared.link.wake();
        }
        self.shared.pass_room_on();
    }

    /// Makes one call, which begins `now`, once there is room for it. Dropping the future tells the server to stop.
    ///
    /// # Errors
    ///
    /// The status of the call.
    pub(crate) async fn call(&self, request: &Request, now: Instant) -> Result<Response, Status> {
        let start = |cx: &mut Context<'_>| Poll::Ready(self.try_start(request, now, cx.waker()));
        let call = match poll_fn(start).await {
            Ok(call) => call,
            Err(Refusal::Full) => self.start_when_there_is_room(request, now).await?,
            Err(refusal) => return Err(self.status(refusal, request)),
        };
        Answer::new(self, request, now, call).await
    }

    /// Starts a call, unless others wait for room already, who come first.
    #[inline]
    fn try_start(&self, request: &Request, now: Instant, waker: &Waker) -> Result<u64, Refusal> {
        if self.shared.waiting.load(Ordering::Relaxed) > 0 {
            return Err(Refusal::Full);
        }
        self.start(request, now, waker)
    }

    fn late(&self, request: &Request, waited_for: WaitedFor, began: Instant) -> Status {
        late(request, Some(&self.shared.address), waited_for, began)
    }

    fn status(&self, refusal: Refusal, request: &Request) -> Status {
        let route = request.route();
        match refusal {
            Refusal::Full => Status::resource_exhausted("no room on the connection"),
            Refusal::Closing(status) => status,
            Refusal::TooLarge(error) => {
                Status::invalid_argument(format!("{route}: the arguments: {error}"))
            }
            Refusal::Expired => expired(request, Some(&self.shared.address)),
        }
        .not_sent()
    }

    /// Whether new calls should go over another connection.
    pub(crate) fn is_closing(&self) -> bool {
        self.shared.closing.load(Ordering::Acquire)
    }

    /// Whether the connection ended because its runtime did.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.shared.interrupted.load(Ordering::Acquire)
    }

    /// Starts a call that wakes `waker` when it is answered.
    fn start(&self, request: &Request, now: Instant, waker: &Waker) -> Result<u64, Refusal> {
        let link = &self.shared.link;
        let mut machine = link.lock();
        let sweep = machine.next_sweep();
        let id = machine.start(request, now, waker)?;
        let earlier = machine.next_sweep() != sweep;
        link.send(machine);
        self.shared.pass_room_on();
        if earlier {
            link.wake();
        }
        Ok(id)
    }

    /// Waits for room until the deadline. One waiter is told at a time, the longest waiting first.
    async fn start_when_there_is_room(
        &self,
        request: &Request,
        began: Instant,
    ) -> Result<u64, Status> {
        let counted = Waiting::new(&self.shared.waiting)?;
        let mut told = counted.before == 0;
        let start = async {
            loop {
                let mut room = std::pin::pin!(self.shared.room.notified());
                // From here on no notice is missed, so looking once more before waiting cannot lose one.
                room.as_mut().enable();
                if !std::mem::replace(&mut told, true) {
                    // Looking is up to those before, one of whom may have to be told.
                    self.shared.pass_room_on();
                    room.await;
                    continue;
                }
                let now = Instant::now();
                match poll_fn(|cx| Poll::Ready(self.start(request, now, cx.waker()))).await {
                    Err(Refusal::Full) => room.await,
                    started => break started,
                }
            }
        };
        let started = tokio::time::timeout_at(request.deadline().instant(), start).await;
        self.shared.pass_room_on();
        match started {
            Ok(started) => started.map_err(|refusal| self.status(refusal, request)),
            Err(_) => Err(self.late(request, WaitedFor::Room, began)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared
            .end(&Status::unavailable("the channel was closed"));
    }
}

impl Shared {
    /// Ends all calls and wakes everyone.
    fn end(&self, why: &Status) {
        self.closing.store(true, Ordering::Release);
        let mut wakers = Vec::new();
        self.link.lock().lose(why, &mut wakers);
        wakers.into_iter().for_each(Waker::wake);
        self.room.notify_waiters();
        self.link.wake();
    }

    /// Wakes the next caller that waits for room, if there is some.
    fn pass_room_on(&self) {
        if self.waiting.load(Ordering::Relaxed) > 0 && self.link.lock().has_room() {
            self.room.notify_one();
        }
    }

    /// Wakes as many callers as there is room for. One by one, each behind all that is ready to run, they would take so
    /// long that more come in the meantime.
    fn share_room_out(&self) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting > 0 {
            let room = self.link.lock().room();
            (0..waiting.min(room)).for_each(|_| self.room.notify_one());
        }
    }
}
