use std::{fmt, io, sync::Arc, time::Duration};

use doge_rpc_core::{
    call::Peer,
    transport::{Accept, Address, HostPort, Listener, Location, Stream, Transport},
};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::{Accepted, Connection, Network, Place, Shared, State, pipe::Pipe, stream::SimStream};

/// What one host of a [`Network`] connects and listens with. It knows `tcp://` only.
#[derive(Clone)]
pub struct HostTransport {
    network: Network,
    host: String,
}

impl HostTransport {
    pub(super) fn new(network: Network, host: String) -> Self {
        Self { network, host }
    }

    /// The name of the host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.network.shared
    }

    /// The first bytes there and back.
    async fn handshake(&self, there: &str) {
        let healed = Arc::clone(&self.shared().state.lock().healed);
        for (from, to) in [(self.host.as_str(), there), (there, self.host.as_str())] {
            tokio::time::sleep_until(self.shared().arrival(from, to)).await;
            loop {
                let mut healed = std::pin::pin!(healed.notified());
                healed.as_mut().enable();
                if !self.shared().is_cut(from, to) {
                    break;
                }
                healed.await;
            }
        }
    }

    async fn connect_to(&self, place: &HostPort) -> io::Result<Stream> {
        let there = (place.host().to_owned(), place.port());
        self.handshake(&there.0).await;
        let mut state = self.shared().state.lock();
        let refused = || {
            let why = format!("nobody listens at tcp://{place} of the simulated network");
            io::Error::new(io::ErrorKind::ConnectionRefused, why)
        };
        let listener = state.listeners.get(&there).cloned().ok_or_else(refused)?;
        let here = (self.host.clone(), state.free_port());
        let connection = Arc::new(Connection {
            ends: [here.0.clone(), there.0],
            pipes: [Arc::new(Pipe::default()), Arc::new(Pipe::default())],
        });
        state.connections.push(Arc::downgrade(&connection));
        drop(state);
        let end = |end| SimStream::new(self.shared(), &connection, end);
        let (ours, theirs) = (end(0), end(1));
        listener.send((theirs, here)).map_err(|_| refused())?;
        Ok(Stream::other(ours))
    }

    fn listen_at(&self, place: &HostPort) -> io::Result<Listener> {
        if place.host() != self.host && !place.is_unspecified() {
            let why = format!("{place} is not of the host {}", self.host);
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, why));
        }
        let (sender, incoming) = mpsc::unbounded_channel();
        let mut state = self.shared().state.lock();
        let port = match place.port() {
            0 => state.free_port(),
            port => port,
        };
        let at = (self.host.clone(), port);
        // What was killed may not have let go of its place yet.
        if state.listeners.get(&at).is_some_and(|it| !it.is_closed()) {
            let why = format!("tcp://{place} is taken");
            return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
        }
        state.listeners.insert(at.clone(), sender.clone());
        drop(state);
        let address = address_of(&at)?;
        let listening = Listening {
            shared: Arc::clone(self.shared()),
            at,
            own: sender,
            incoming: tokio::sync::Mutex::new(incoming),
        };
        Ok(Listener::other(address, listening))
    }
}

impl Transport for HostTransport {
    fn connect<'a>(&'a self, to: &'a Location, _: Duration) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            match to {
                Location::Tcp(place) => self.connect_to(place).await,
                other => Err(unsupported(other)),
            }
        })
    }

    fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>> {
        Box::pin(async move {
            match at {
                Location::Tcp(place) => self.listen_at(place),
                other => Err(unsupported(other)),
            }
        })
    }
}

fn unsupported(location: &Location) -> io::Error {
    let why = format!("the simulated network has no {location}, only tcp://host:port");
    io::Error::new(io::ErrorKind::Unsupported, why)
}

fn address_of((host, port): &Place) -> io::Result<Address> {
    let place: Result<HostPort, _> = format!("{host}:{port}").parse();
    let place = place.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(Address::tcp(place))
}

/// A place at which a host listens.
struct Listening {
    shared: Arc<Shared>,
    at: Place,
    /// Tells this listener from another one at the same place.
    own: mpsc::UnboundedSender<Accepted>,
    incoming: tokio::sync::Mutex<mpsc::UnboundedReceiver<Accepted>>,
}

impl Accept for Listening {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Stream, Peer)>> {
        Box::pin(async move {
            let accepted = self.incoming.lock().await.recv().await;
            // This holds a sender itself, so that there is always one more to come.
            let (stream, place) = accepted.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok((Stream::other(stream), Peer::new(address_of(&place)?)))
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let State { listeners, .. } = &mut *self.shared.state.lock();
        if listeners
            .get(&self.at)
            .is_some_and(|it| it.same_channel(&self.own))
        {
            listeners.remove(&self.at);
        }
    }
}

impl fmt::Debug for HostTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HostTransport").field(&self.host).finish()
    }
}
