use std::{collections::HashMap, sync::Arc, time::Duration};

use doge_rpc_core::{
    protocol::Reason,
    transport::{Address, Listener, Stream},
};
use parking_lot::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    connection::{self, Connection, Service, Signals},
    farewell,
    gate::Gate,
};

/// The connections of a server, open ones and those to come.
pub(crate) struct Connections {
    service: Arc<Service>,
    open: Mutex<HashMap<u64, Connection>>,
    tasks: TaskTracker,
    gate: Gate,
    /// Connections that are being told there is no room.
    leaving: Gate,
    /// What one that comes later is told as well.
    signals: Signals,
}

/// Pause after a failed accept, such as when the process is out of file descriptors.
const PAUSE: Duration = Duration::from_millis(50);

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
        }
    }

    /// Takes connections in until it is told to stop.
    pub(crate) async fn accept(self: Arc<Self>, listener: Listener, stop: CancellationToken) {
        let mut number = 0;
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    self.open(number, stream, peer);
                }
                Err(error) => {
                    tracing::warn!(address = %listener.address(), %error, "cannot accept a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
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

    fn open(self: &Arc<Self>, number: u64, stream: Stream, peer: Address) {
        let Some(pass) = self.gate.enter() else {
            tracing::warn!(%peer, most = self.gate.most(), "too many connections");
            if let Some(pass) = self.leaving.enter() {
                let most = self.gate.most();
                tokio::spawn(async move {
                    farewell::say(stream, most).await;
                    drop(pass);
                });
            }
            return;
        };
        let place = Place {
            connections: Arc::clone(self),
            number,
        };
        self.tasks.spawn(async move {
            let _held = pass;
            let Place { connections, .. } = &place;
            let service = Arc::clone(&connections.service);
            let entered = |connection| place.enter(connection);
            connection::serve(stream, peer, service, &connections.signals, entered).await;
        });
    }

    fn each(&self, act: impl Fn(&Connection)) {
        let open: Vec<_> = self.open.lock().values().cloned().collect();
        open.iter().for_each(act);
    }
}

/// A connection's place in the list, left however its task ends.
struct Place {
    connections: Arc<Connections>,
    number: u64,
}

impl Place {
    /// Takes the place, and tells the connection what all were told before.
    fn enter(&self, connection: Connection) {
        let Connections { open, signals, .. } = &*self.connections;
        open.lock().insert(self.number, connection.clone());
        if signals.closed.is_cancelled() {
            connection.close();
        } else if signals.draining.is_cancelled() {
            go_away(&connection);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open.lock().remove(&self.number);
    }
}

fn go_away(connection: &Connection) {
    connection.go_away(Reason::Drain, "the server shuts down");
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use doge_rpc_core::{
        call::Layers,
        connection::Limits,
        msgpack_rpc,
        transport::{Address, Stream, memory},
    };
    use tokio_util::sync::CancellationToken;

    use super::{Connections, Listener};
    use crate::{connection::Service, gate::Gate, router::Router};

    /// Nothing here takes longer, unless it hangs.
    const LIMIT: Duration = Duration::from_secs(10);

    fn connections() -> Arc<Connections> {
        let router = Router::new(Vec::new(), &Layers::default(), None).unwrap();
        let service = Service {
            router,
            limits: Limits::default(),
            msgpack_rpc: Some(msgpack_rpc::Options::default()),
            calls: Gate::new(1),
        };
        Arc::new(Connections::new(service, 10))
    }

    #[tokio::test]
    async fn a_connection_that_comes_when_all_were_ended_is_ended() {
        let connections = connections();
        let (_client, ours) = memory::pair(1024);
        connections.close();
        connections.open(1, ours, Address::Memory("late".into()));
        tokio::time::timeout(LIMIT, connections.gone())
            .await
            .expect("it is ended");
    }

    #[tokio::test]
    async fn stopping_to_accept_ends_no_connection() {
        let connections = connections();
        let address = Address::Memory("stops-accepting".into());
        let listener = Listener::bind(&address).await.unwrap();
        let client = Stream::connect(&address).await.unwrap();
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
