use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use doge_rpc_core::{
    call::Peer,
    protocol::Reason,
    transport::{Listener, Stream},
};
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use tokio::task::unconstrained;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    ServerStats,
    connection::{self, Connection, Service, Signals},
    farewell,
    gate::Gate,
    stats::Counters,
};

/// The connections of a server, open ones and those to come.
pub(crate) struct Connections {
    service: Arc<Service>,
    open: Mutex<Open>,
    tasks: TaskTracker,
    gate: Gate,
    /// Connections that are being told there is no room.
    leaving: Gate,
    /// What one that comes later is told as well.
    signals: Signals,
    accepted: AtomicU64,
    refused: AtomicU64,
}

/// The connections whose protocol is known, and what those counted that are closed.
#[derive(Default)]
struct Open {
    connections: BTreeMap<u64, Connection>,
    closed: Counters,
}

/// Pause after a failed accept, such as when the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// The most connections that are taken out of the queue of a socket before it closes: as many as a queue has.
const QUEUED: usize = 4096;

/// Connections beyond these are closed without a word.
const MAX_LEAVING: usize = 100;

impl Connections {
    pub(crate) fn new(service: Service, most: usize) -> Self {
        Self {
            service: Arc::new(service),
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            gate: Gate::new(most),
            leaving: Gate::new(MAX_LEAVING),
            signals: Signals::default(),
            accepted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Takes connections in until it is told to stop, and then those that wait already: a client whose connection stands
    /// is told to call elsewhere, where a closed socket would reset it.
    pub(crate) async fn accept(self: Arc<Self>, listener: Listener, stop: CancellationToken) {
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    self.open(stream, peer);
                }
                Err(error) => {
                    tracing::warn!(address = %listener.address(), %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        for _ in 0..QUEUED {
            // Unconstrained, since a task that has used up its budget would find nobody there.
            let Some(Ok((stream, peer))) = unconstrained(listener.accept()).now_or_never() else {
                return;
            };
            self.open(stream, peer);
        }
    }

    /// Asks all clients to call elsewhere.
    pub(crate) fn go_away(&self) {
        // Before the list is taken: a connection that is not in it yet finds this once it is.
        self.signals.draining.cancel();
        self.each(go_away);
    }

    /// Ends all connections now, and those that are just being accepted.
    pub(crate) fn close(&self) {
        self.signals.closed.cancel();
        self.each(Connection::close);
    }

    /// Waits until all connections are gone; none may come any more.
    pub(crate) async fn gone(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The figures of the server.
    pub(crate) fn stats(&self) -> ServerStats {
        let mut total = Counters::default();
        let open = self.open.lock();
        total.add(&open.closed);
        open.connections
            .values()
            .for_each(|it| it.add_to(&mut total));
        drop(open);
        let mut methods = self.service.router.stats();
        total.add_to(&mut methods);
        ServerStats {
            methods,
            connections: self.gate.inside(),
            connections_accepted: self.accepted.load(Ordering::Relaxed),
            connections_refused: self.refused.load(Ordering::Relaxed),
            calls_running: self.service.calls.inside(),
        }
    }

    fn open(self: &Arc<Self>, stream: Stream, peer: Peer) {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        let mut place = Place::new(Arc::clone(self), number, peer.clone());
        let Some(pass) = self.gate.enter() else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            let most = self.gate.most();
            tracing::warn!(%peer, most, "too many connections");
            place.why = format!("it was turned away, as there are {most} connections already");
            if let Some(pass) = self.leaving.enter() {
                tokio::spawn(async move {
                    farewell::say(stream, most).await;
                    drop((pass, place));
                });
            }
            return;
        };
        self.tasks.spawn(async move {
            let _held = pass;
            let connections = Arc::clone(&place.connections);
            let service = Arc::clone(&connections.service);
            let entered = |connection| place.enter(connection);
            let ended = connection::serve(stream, peer, service, &connections.signals, entered);
            let why = ended.await;
            place.leave(why);
        });
    }

    fn each(&self, act: impl Fn(&Connection)) {
        let open: Vec<_> = self.open.lock().connections.values().cloned().collect();
        open.iter().for_each(act);
    }
}

/// A connection's place in the list, left however its task ends.
struct Place {
    connections: Arc<Connections>,
    number: u64,
    peer: Peer,
    /// Why the connection ended.
    why: String,
}

impl Place {
    fn new(connections: Arc<Connections>, number: u64, peer: Peer) -> Self {
        connections.service.watch.open(&peer);
        Self {
            connections,
            number,
            peer,
            why: "its runtime stopped".into(),
        }
    }

    /// Leaves, as the connection ended for this reason.
    fn leave(mut self, why: String) {
        self.why = why;
    }

    /// Takes the place, and tells the connection what all were told before.
    fn enter(&self, connection: Connection) {
        let Connections { open, signals, .. } = &*self.connections;
        let mut open = open.lock();
        open.connections.insert(self.number, connection.clone());
        drop(open);
        if signals.closed.is_cancelled() {
            connection.close();
        } else if signals.draining.is_cancelled() {
            go_away(&connection);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        // Under one lock, so that whoever reads the figures finds the connection in one of both.
        if let Some(connection) = open.connections.remove(&self.number) {
            connection.add_to(&mut open.closed);
        }
        drop(open);
        self.connections.service.watch.close(&self.peer, &self.why);
    }
}

fn go_away(connection: &Connection) {
    connection.go_away(Reason::Drain, "the server shuts down");
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use doge_rpc_core::{
        call::{Layers, Peer},
        connection::Limits,
        msgpack_rpc,
        transport::{Address, Sockets, Transport as _, memory},
    };
    use tokio_util::sync::CancellationToken;

    use super::{Connections, Listener};
    use crate::{connection::Service, gate::Gate, router::Router, watch::Watch};

    /// Nothing here takes longer, unless it hangs.
    const LIMIT: Duration = Duration::from_secs(10);

    fn connections() -> Arc<Connections> {
        let router = Router::new(Vec::new(), &Layers::default(), None).unwrap();
        let service = Service {
            router,
            limits: Limits::default(),
            msgpack_rpc: Some(msgpack_rpc::Options::default()),
            calls: Gate::new(1),
            watch: Watch::default(),
        };
        Arc::new(Connections::new(service, 10))
    }

    #[tokio::test]
    async fn a_connection_that_comes_when_all_were_ended_is_ended() {
        let connections = connections();
        let (_client, ours) = memory::pair(1024);
        connections.close();
        connections.open(ours, Peer::new(Address::memory("late")));
        tokio::time::timeout(LIMIT, connections.gone())
            .await
            .expect("it is ended");
    }

    #[tokio::test]
    async fn stopping_to_accept_ends_no_connection() {
        let connections = connections();
        let address = Address::memory("stops-accepting");
        let listener = Listener::bind(&address).await.unwrap();
        let connecting = Sockets.connect(address.location(), LIMIT);
        let client = connecting.await.unwrap();
        let stop = CancellationToken::new();
        let accepting = tokio::spawn(Arc::clone(&connections).accept(listener, stop.clone()));
        while connections.tasks.is_empty() {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        accepting.await.unwrap();
        assert_eq!(connections.tasks.len(), 1, "a drain closes it later");
        drop(client);
        tokio::time::timeout(LIMIT, connections.gone())
            .await
            .expect("it ends with its client");
    }
}
