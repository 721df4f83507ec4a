//! The lives of a service: the ways in which a client reaches one and the same implementation behind one and the same
//! layers.

use std::{
    io,
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use doge_rpc::{
    Env, Request, Response,
    call::Peer,
    client::{Channel, ChannelConfig, Client},
    prelude::*,
    server::Running,
    transport::{Accept, Listener, Location, Sockets, Stream, Transport, connector, sockets},
};
use doge_testing::Network;
use futures_util::future::BoxFuture;
use tokio::{io::BufStream, net::TcpStream};
use tower::{BoxError, Layer, Service, ServiceBuilder};

/// A way to reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Tcp,
    Unix,
    Memory,
    /// A transport that holds what is written back until it is flushed.
    Buffered,
    /// Sockets that were bound and connected by somebody else.
    Given,
    /// The simulated network, with reads and writes that end at any byte.
    Simulated,
    /// In process, through the codec.
    Local,
    /// Over MessagePack-RPC, with a map of metadata.
    Doge,
}

impl Life {
    /// Those that speak the native protocol or need none.
    pub(crate) const NATIVE: [Self; 7] = [
        Self::Tcp,
        Self::Unix,
        Self::Memory,
        Self::Buffered,
        Self::Given,
        Self::Simulated,
        Self::Local,
    ];

    pub(crate) const ALL: [Self; 8] = [
        Self::Tcp,
        Self::Unix,
        Self::Memory,
        Self::Buffered,
        Self::Given,
        Self::Simulated,
        Self::Local,
        Self::Doge,
    ];

    /// What each end connects and listens with.
    fn transports(self) -> [Arc<dyn Transport>; 2] {
        match self {
            Self::Buffered => [Arc::new(Buffered), Arc::new(Buffered)],
            Self::Given => {
                let connector = connector(|to: Location, _: Duration| async move {
                    let Location::Tcp(place) = to else {
                        return Err(io::ErrorKind::Unsupported.into());
                    };
                    let socket = std::net::TcpStream::connect((place.host(), place.port()))?;
                    socket.set_nonblocking(true)?;
                    Stream::tcp(TcpStream::from_std(socket)?)
                });
                [Arc::new(connector), sockets()]
            }
            Self::Simulated => {
                let network = Network::new(Env::seeded(1));
                [network.transport("front"), network.transport("back")]
            }
            _ => [sockets(), sockets()],
        }
    }
}

/// A client, and what has to live as long as it does.
pub(crate) struct Reached {
    pub(crate) client: Client,
    _server: Option<Running>,
    _folder: tempfile::TempDir,
}

/// Serves with a layer around the service, and reaches it in this way.
pub(crate) async fn reach<S>(life: Life, service: S, layer: Probing) -> Reached
where
    S: doge_rpc::call::Serve + Service<Request, Response = Response, Error = Status, Future: Send>,
{
    let folder = tempfile::tempdir().unwrap();
    if life == Life::Local {
        let service = ServiceBuilder::new().layer(layer).service(service);
        return Reached {
            client: Client::service(service),
            _server: None,
            _folder: folder,
        };
    }
    let listen = match life {
        Life::Unix => format!("unix://{}/socket", folder.path().display()),
        Life::Memory => format!("memory://{}", folder.path().display()),
        Life::Simulated => "tcp://back:7000".to_owned(),
        _ => "tcp://127.0.0.1:0".to_owned(),
    };
    let [near, far] = life.transports();
    let server = Server::builder().add(service).layer(layer).transport(far);
    let server = match life {
        Life::Given => {
            let bound = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            server.start(bound).await.unwrap()
        }
        _ => server.start(&*listen).await.unwrap(),
    };
    let mut address = server.address().to_string();
    if life == Life::Doge {
        address = address.replace("tcp://", "doge://");
    }
    Reached {
        client: Client::from(Channel::with_config(
            address.parse().unwrap(),
            ChannelConfig {
                transport: near,
                ..ChannelConfig::default()
            },
        )),
        _server: Some(server),
        _folder: folder,
    }
}

/// The sockets of the system behind buffers.
#[derive(Debug)]
struct Buffered;

impl Transport for Buffered {
    fn connect<'a>(
        &'a self,
        to: &'a Location,
        within: Duration,
    ) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move { Ok(buffered(Sockets.connect(to, within).await?)) })
    }

    fn listen<'a>(&'a self, at: &'a Location) -> BoxFuture<'a, io::Result<Listener>> {
        Box::pin(async move {
            let listener = Sockets.listen(at).await?;
            Ok(Listener::other(
                listener.address().clone(),
                Accepting(listener),
            ))
        })
    }
}

struct Accepting(Listener);

impl Accept for Accepting {
    fn accept(&self) -> BoxFuture<'_, io::Result<(Stream, Peer)>> {
        Box::pin(async {
            let (stream, peer) = self.0.accept().await?;
            Ok((buffered(stream), peer))
        })
    }
}

fn buffered(stream: Stream) -> Stream {
    Stream::other(BufStream::with_capacity(1 << 20, 1 << 20, stream))
}

/// A layer that changes requests and writes down how calls end.
#[derive(Clone)]
pub(crate) struct Probing {
    change: Arc<dyn Fn(Request) -> Result<Request, Status> + Send + Sync>,
    ends: Arc<Mutex<Vec<End>>>,
}

/// How a call ended, as a layer saw it.
pub(crate) type End = Result<bool, Status>;

impl Probing {
    /// Changes requests so, or refuses them.
    pub(crate) fn new(
        change: impl Fn(Request) -> Result<Request, Status> + Send + Sync + 'static,
    ) -> Self {
        Self {
            change: Arc::new(change),
            ends: Arc::default(),
        }
    }

    pub(crate) fn nothing() -> Self {
        Self::new(Ok)
    }

    /// How calls ended: `Ok(true)` for an error of the application.
    pub(crate) fn ends(&self) -> Vec<End> {
        self.ends.lock().unwrap().clone()
    }

    /// How the only call ended, once it has.
    pub(crate) async fn end(&self) -> End {
        crate::common::until(|| !self.ends().is_empty()).await;
        let mut ends = self.ends();
        assert_eq!(ends.len(), 1, "{ends:?}");
        ends.remove(0)
    }
}

impl<S> Layer<S> for Probing {
    type Service = Probed<S>;

    fn layer(&self, inner: S) -> Probed<S> {
        let probing = self.clone();
        Probed { inner, probing }
    }
}

#[derive(Clone)]
pub(crate) struct Probed<S> {
    inner: S,
    probing: Probing,
}

impl<S> Service<Request> for Probed<S>
where
    S: Service<Request, Response = Response, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let ends = Arc::clone(&self.probing.ends);
        let call = (self.probing.change)(request).map(|request| self.inner.call(request));
        Box::pin(async move {
            let answer = match call {
                Ok(call) => call.await.map_err(Into::into),
                Err(refused) => Err(refused.into()),
            };
            ends.lock().unwrap().push(match &answer {
                Ok(response) => Ok(response.is_application_error()),
                Err(error) => Err(error.downcast_ref::<Status>().unwrap().clone()),
            });
            answer
        })
    }
}
