use std::{fmt, io, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::net::{TcpListener, UnixListener};

use super::{
    Address, Dialect, HostPort, Location, Sockets, Stream, Transport, memory, tcp, unix::SocketFile,
};
use crate::call::Peer;

/// Where connections come in.
pub struct Listener {
    /// First, so that the file is removed while the socket still holds it.
    _file: Option<SocketFile>,
    repr: Repr,
    address: Address,
}

enum Repr {
    Tcp(TcpListener),
    Unix(UnixListener),
    Memory(memory::Listener),
    Other(Box<dyn Accept>),
}

/// What accepts the connections of a [`Transport`](super::Transport) of its own; see [`Listener::other`].
pub trait Accept: Send + Sync + 'static {
    /// The next connection, and whom it is with. Cancel safe.
    ///
    /// # Errors
    ///
    /// Why there is none; it is asked again after a pause.
    fn accept(&self) -> BoxFuture<'_, io::Result<(Stream, Peer)>>;
}

impl Listener {
    /// Listens at an address with a socket of the system. TCP port 0 lets the system choose; [`address`](Self::address)
    /// tells which it chose. A Unix socket that a dead process left behind is replaced, and its file is removed in the
    /// end. Cancel safe: a dropped attempt listens nowhere.
    ///
    /// # Errors
    ///
    /// As the operating system reports it; for a taken address, `AddrInUse`.
    pub async fn bind(address: &Address) -> io::Result<Self> {
        Self::bind_with(&Sockets, address).await
    }

    /// Like [`bind`](Self::bind), with a socket of this transport.
    ///
    /// # Errors
    ///
    /// As the transport reports it.
    pub async fn bind_with(transport: &dyn Transport, address: &Address) -> io::Result<Self> {
        if address.dialect() != Dialect::Native {
            let location = address.location();
            let why = format!("listen at {location}, where all dialects are understood");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        transport.listen(address.location()).await
    }

    /// Listens on a TCP socket that is bound already, such as one with options of its own.
    ///
    /// # Errors
    ///
    /// When the socket has no address.
    pub fn tcp(listener: TcpListener) -> io::Result<Self> {
        let address = Address::from(listener.local_addr()?);
        Ok(Self::new(Repr::Tcp(listener), address))
    }

    /// Listens on a Unix socket that is bound already. Its file stays when the listener is dropped: who made it removes
    /// it.
    ///
    /// # Errors
    ///
    /// When the socket has no address.
    pub fn unix(listener: UnixListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let address = match address.as_pathname() {
            Some(path) => Address::unix(path),
            None => Address::unix("(unnamed)"),
        };
        Ok(Self::new(Repr::Unix(listener), address))
    }

    /// Accepts with `accept` what comes to `address`, which is what the server is registered at unless it is told
    /// otherwise.
    pub fn other(address: Address, accept: impl Accept) -> Self {
        Self::new(Repr::Other(Box::new(accept)), address)
    }

    /// Listens at a TCP address that other processes of the same user may listen at as well (`SO_REUSEPORT`). The system
    /// gives each new connection to one of them, so that they can be restarted in turn. Port 0 lets the system choose.
    ///
    /// A connection that waits to be accepted while its process closes the socket is reset, unless the system moves it to
    /// another process (on Linux with `net.ipv4.tcp_migrate_req`). A call of one address that is to outlast that
    /// waits for ready; a cluster calls another instance.
    ///
    /// ```
    /// use doge_rpc_core::transport::Listener;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let one = Listener::with_others(&"127.0.0.1:0".parse()?).await?;
    /// let place = one.address().to_string();
    /// let other = Listener::with_others(&place["tcp://".len()..].parse()?).await?;
    /// assert_eq!(one.address(), other.address());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// As the operating system reports it; `AddrInUse` where somebody listens who does not share the port.
    pub async fn with_others(place: &HostPort) -> io::Result<Self> {
        tcp::listen_with_others(place).await
    }

    /// The sockets that the process was started with, as systemd passes them (`LISTEN_FDS`): TCP and Unix sockets, in
    /// their order. None, if it was not started so. To be called once, before other threads run: the sockets are taken
    /// out of the environment.
    ///
    /// # Errors
    ///
    /// When one of them is no listening socket.
    pub fn from_environment() -> io::Result<Vec<Self>> {
        let mut passed = listenfd::ListenFd::from_env();
        let listeners = (0..passed.len()).map(|index| match passed.take_tcp_listener(index) {
            Ok(Some(listener)) => Self::try_from(listener).map(Some),
            Ok(None) => Ok(None),
            Err(_) => passed
                .take_unix_listener(index)?
                .map(Self::try_from)
                .transpose(),
        });
        listeners.filter_map(Result::transpose).collect()
    }

    pub(super) fn memory(listener: memory::Listener, name: &Arc<str>) -> Self {
        let address = Address::new(Location::Memory(Arc::clone(name)));
        Self::new(Repr::Memory(listener), address)
    }

    /// The same, which removes its file in the end.
    pub(super) fn removing(self, file: SocketFile) -> Self {
        Self {
            _file: Some(file),
            ..self
        }
    }

    fn new(repr: Repr, address: Address) -> Self {
        Self {
            _file: None,
            repr,
            address,
        }
    }

    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The next connection, and whom it is with. Cancel safe.
    ///
    /// # Errors
    ///
    /// As the operating system reports it; the listener is still good after that.
    pub async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.repr {
            Repr::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::tcp(stream)?, Peer::new(peer.into())))
            }
            Repr::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::unix(stream), self.peer()))
            }
            Repr::Memory(listener) => Ok((listener.accept().await?, self.peer())),
            Repr::Other(listener) => listener.accept().await,
        }
    }

    /// A peer that has no address of its own.
    fn peer(&self) -> Peer {
        Peer::new(self.address.clone())
    }
}

/// Sockets of the standard library, which are made non-blocking.
impl TryFrom<std::net::TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::tcp(TcpListener::from_std(listener)?)
    }
}

/// Sockets of the standard library, which are made non-blocking.
impl TryFrom<std::os::unix::net::UnixListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::unix(UnixListener::from_std(listener)?)
    }
}

impl TryFrom<TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: TcpListener) -> io::Result<Self> {
        Self::tcp(listener)
    }
}

impl TryFrom<UnixListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: UnixListener) -> io::Result<Self> {
        Self::unix(listener)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listener").field(&self.address).finish()
    }
}
