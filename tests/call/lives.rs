//! The lives of a service: the ways in which a client reaches one and the same implementation behind one and the same
//! layers.

use std::{
    sync::{Arc, Mutex},
    task::{Context as TaskContext, Poll},
};

use doge_rpc::{Request, Response, client::Client, prelude::*, server::Running};
use futures_util::future::BoxFuture;
use tower::{BoxError, Layer, Service, ServiceBuilder};

/// A way to reach a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    Tcp,
    Unix,
    Memory,
    /// In process, through the codec.
    Local,
    /// Over MessagePack-RPC, with a map of metadata.
    Doge,
}

impl Life {
    /// Those that speak the native protocol or need none.
    pub(crate) const NATIVE: [Self; 4] = [Self::Tcp, Self::Unix, Self::Memory, Self::Local];

    pub(crate) const ALL: [Self; 5] =
        [Self::Tcp, Self::Unix, Self::Memory, Self::Local, Self::Doge];
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
        _ => "tcp://127.0.0.1:0".to_owned(),
    };
    let server = Server::builder().add(service).layer(layer);
    let server = server.start(&*listen).await.unwrap();
    let mut address = server.address().to_string();
    if life == Life::Doge {
        address = address.replace("tcp://", "doge://");
    }
    Reached {
        client: Client::connect(&*address).unwrap(),
        _server: Some(server),
        _folder: folder,
    }
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
