//! One socket, and the calls that run on it.

mod dispatch;
mod done;
mod end;
mod opening;
mod running_call;
mod state;
mod taking;
mod task;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::BytesMut;
use doge_rpc_core::{
    Status,
    call::{Peer, Response},
    connection::{Limits, Refused, ServerConnection, Serving},
    driver::{FrameReader, Link},
    msgpack_rpc,
    protocol::{Codec, Reason},
    transport::{ReadHalf, WriteHalf},
};
use tokio::time::Instant;

pub(crate) use self::opening::{Signals, is_msgpack_rpc, serve};
use self::{running_call::RunningCall, state::State, task::Task};
use crate::{
    gate::Gate,
    router::{Resolved, Router},
    stats::Counters,
    watch::{Refusal, Watch},
};

/// What a call ended with.
type Answer = Result<Response, Status>;

/// What all connections of a server share.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    /// How peers that speak MessagePack-RPC are treated; `None` when they are turned away.
    pub(crate) msgpack_rpc: Option<msgpack_rpc::Options>,
    /// Calls that run at once.
    pub(crate) calls: Gate,
    pub(crate) watch: Watch,
}

/// An open connection, for those who end it.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<dyn Ends>);

/// A connection, in whatever dialect.
trait Ends: fmt::Debug + Send + Sync {
    /// Asks the client to call elsewhere; what runs goes on.
    fn go_away(&self, reason: Reason, why: &str);

    /// Ends it now, with all that runs.
    fn close(&self);

    /// Adds what it has counted.
    fn add_to(&self, total: &mut Counters);
}

impl Connection {
    /// Asks the client to call elsewhere; what runs goes on.
    pub(crate) fn go_away(&self, reason: Reason, why: &str) {
        self.0.go_away(reason, why);
    }

    /// Ends it now, with all that runs.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    /// Adds what it has counted.
    pub(crate) fn add_to(&self, total: &mut Counters) {
        self.0.add_to(total);
    }
}

/// The state of a connection, in one dialect.
trait Machine: Serving<Resolved, RunningCall, Decoder: Send + Unpin> + Send + Sized + 'static {
    /// A fresh one, of this service, and what reads its frames.
    fn new(service: &Service, now: Instant) -> (Self, Self::Decoder);
}

impl Machine for ServerConnection<Resolved, RunningCall> {
    fn new(service: &Service, now: Instant) -> (Self, Codec) {
        let limits = service.limits.clone();
        let codec = Codec::new(limits.max_frame, limits.max_frame);
        (Self::new(limits, now), codec)
    }
}

impl Machine for msgpack_rpc::ServerConnection<Resolved, RunningCall> {
    fn new(service: &Service, now: Instant) -> (Self, msgpack_rpc::Messages) {
        let options = service.msgpack_rpc.clone().unwrap_or_default();
        let messages = msgpack_rpc::Messages::new(options.max_message);
        (Self::new(service.limits.clone(), options, now), messages)
    }
}

struct Shared<M> {
    link: Link<State<M>>,
    service: Arc<Service>,
    peer: Peer,
    closed: AtomicBool,
    /// The connection has ended, and its task waits for the calls that it has told so.
    ending: AtomicBool,
    /// The task reads no further because of what waits to be written or to end; whoever changes that wakes it. Set under
    /// the lock of the state.
    choked: AtomicBool,
}

/// Takes a connection in of which so much was read already; its task is to be run by the caller.
fn connect<M: Machine>(
    (read_half, write_half): (ReadHalf, WriteHalf),
    read: BytesMut,
    peer: Peer,
    service: Arc<Service>,
) -> (Connection, Task<M>) {
    let now = Instant::now();
    let (machine, decoder) = M::new(&service, now);
    let reader = FrameReader::new(read_half, decoder, now).after(read);
    let shared = Arc::new(Shared {
        link: Link::new(State::new(machine), write_half),
        service,
        peer,
        closed: AtomicBool::new(false),
        ending: AtomicBool::new(false),
        choked: AtomicBool::new(false),
    });
    let task = Task::new(Arc::clone(&shared), reader);
    (Connection(shared), task)
}

impl<M: Machine> Ends for Shared<M> {
    fn go_away(&self, reason: Reason, why: &str) {
        let mut machine = self.link.lock();
        machine.go_away(reason, why, Instant::now());
        self.link.send(machine);
        self.link.wake();
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.link.wake();
    }

    fn add_to(&self, total: &mut Counters) {
        total.add(self.link.lock().counters());
    }
}

/// Tells those who watch of a call that was refused.
fn tell_of_refusal(refused: &Refused<Resolved>, watch: &Watch, router: &Router, peer: &Peer) {
    let route = refused.route.as_ref();
    watch.refuse(&Refusal {
        route: route.map(|route| router.target(route).route()),
        peer,
        attempt: refused.attempt,
        request_bytes: refused.request_bytes,
        reason: refused.reason,
    });
}

impl<M> fmt::Debug for Shared<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
