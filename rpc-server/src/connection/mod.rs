//! One socket, and the calls that run on it.

mod dispatch;
mod task;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use doge_rpc_core::{
    connection::{Limits, ServerConnection},
    driver::{FrameReader, Link},
    protocol::{Codec, Reason},
    transport::{Address, Stream},
};
use tokio::{task::AbortHandle, time::Instant};

use self::task::Task;
use crate::{
    gate::Gate,
    router::{Resolved, Router},
};

/// What all connections of a server share.
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    /// Calls that run at once.
    pub(crate) calls: Gate,
}

/// An open connection, for those who end it.
#[derive(Clone, Debug)]
pub(crate) struct Connection(Arc<Shared>);

/// The state of a connection.
type Machine = ServerConnection<Resolved, AbortHandle>;

struct Shared {
    link: Link<Machine>,
    service: Arc<Service>,
    peer: Address,
    closed: AtomicBool,
}

impl Connection {
    /// Takes a connection in; its task is to be spawned by the caller.
    pub(crate) fn new(
        stream: Stream,
        peer: Address,
        service: Arc<Service>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (read, write) = stream.split();
        let now = Instant::now();
        let max_frame = service.limits.max_frame;
        let reader = FrameReader::new(read, Codec::new(max_frame, max_frame), now);
        let machine = ServerConnection::new(service.limits.clone(), now);
        let link = Link::new(machine, write);
        let shared = Arc::new(Shared {
            link,
            service,
            peer,
            closed: AtomicBool::new(false),
        });
        let task = Task::new(Arc::clone(&shared), reader);
        (Self(shared), task)
    }

    /// Asks the client to call elsewhere; what runs goes on.
    pub(crate) fn go_away(&self, reason: Reason, why: &str) {
        let mut machine = self.0.link.lock();
        machine.go_away(reason, why);
        self.0.link.send(machine);
        self.0.link.wake();
    }

    /// Ends it now, with all that runs.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.link.wake();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}
