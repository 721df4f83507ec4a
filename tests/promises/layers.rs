//! tower layers around services: tower's own, and one that sees the call.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use doge_rpc::{Request, prelude::*};
use tower::{
    Layer, Service, limit::ConcurrencyLimitLayer, load_shed::LoadShedLayer, timeout::TimeoutLayer,
};

use crate::support::{Handlers, Probe, ProbeClient, patient};

/// Lets calls through that bring a token, and counts them by method.
#[derive(Clone, Default)]
struct Auth {
    echoes: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct Checked<S> {
    inner: S,
    auth: Auth,
}

impl<S> Layer<S> for Auth {
    type Service = Checked<S>;

    fn layer(&self, inner: S) -> Checked<S> {
        Checked {
            inner,
            auth: self.clone(),
        }
    }
}

impl<S> Service<Request> for Checked<S>
where
    S: Service<Request, Response = doge_rpc::Response, Error = tower::BoxError>,
    S::Future: Send + 'static,
{
    type Response = doge_rpc::Response;
    type Error = tower::BoxError;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<doge_rpc::Response, tower::BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), tower::BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.metadata().get_str("token") != Some("letmein") {
            let refused = Status::unauthenticated("no token").rejected();
            return Box::pin(std::future::ready(Err(refused.into())));
        }
        if request.route().method() == "echo" && request.peer().is_some() {
            self.auth.echoes.fetch_add(1, Ordering::SeqCst);
        }
        Box::pin(self.inner.call(request))
    }
}

#[tokio::test]
async fn a_layer_sees_route_peer_and_metadata_and_refuses_with_a_status() {
    let (handlers, auth) = (Handlers::default(), Auth::default());
    let server = handlers
        .server()
        .layer(auth.clone())
        .start("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let client = ProbeClient::connect(server.address()).unwrap();

    let status = client.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    assert!(status.never_ran());
    let known = client.with(CallOptions::new().metadata("token", "letmein").unwrap());
    assert_eq!(known.echo(2).await.unwrap(), 2);
    assert_eq!(auth.echoes.load(Ordering::SeqCst), 1);
    assert_eq!(handlers.started(), 1);
}

#[tokio::test]
async fn towers_own_layers_speak_in_statuses() {
    let handlers = Handlers::default();
    let server = handlers
        .server()
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1))
        .layer(TimeoutLayer::new(Duration::from_millis(50)));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let client = ProbeClient::connect(server.address())
        .unwrap()
        .with(patient());

    let (first, second) = tokio::join!(client.hang(), client.hang());
    let mut codes = [first.unwrap_err().code(), second.unwrap_err().code()];
    codes.sort_unstable();
    assert_eq!(codes, [Code::DeadlineExceeded, Code::ResourceExhausted]);
    handlers.until_running(0).await;
    assert_eq!(client.echo(1).await.unwrap(), 1);
}

/// Another service on the port of the probe.
#[service(name = "open")]
trait Open {
    async fn hello(&self) -> Result<String, Status>;
}

struct Door;

impl Open for Door {
    async fn hello(&self) -> Result<String, Status> {
        Ok("hello".into())
    }
}

#[tokio::test]
async fn a_layer_may_be_around_one_service_alone() {
    let (handlers, auth) = (Handlers::default(), Auth::default());
    let probe = crate::support::ProbeServer::new(handlers);
    let server = Server::builder()
        .add_with_layer(probe, auth.clone())
        .add(OpenServer::new(Door));
    let server = server.start("tcp://127.0.0.1:0").await.unwrap();
    let (probe, open) = (
        ProbeClient::connect(server.address()).unwrap(),
        OpenClient::connect(server.address()).unwrap(),
    );
    assert_eq!(open.hello().await, Ok("hello".into()));
    let status = probe.echo(1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
    let with_token = CallOptions::new().metadata("token", "letmein").unwrap();
    assert_eq!(probe.with(with_token).echo(2).await, Ok(2));
    assert_eq!(auth.echoes.load(Ordering::SeqCst), 1);
}

/// Whatever a client calls: an address here, a cluster and an implementation have the same.
#[tokio::test]
async fn a_layer_may_be_around_the_calls_of_any_client() {
    let (handlers, auth) = (Handlers::default(), Auth::default());
    let server = handlers.server().start("tcp://127.0.0.1:0").await.unwrap();
    let registry: Arc<dyn Registry> = Arc::new(doge_rpc::registry::Static::addresses([server
        .address()
        .to_string()]));
    let cluster = ProbeClient::cluster().registry(&registry).follow().await;
    let clients: [doge_rpc::Client; 3] = [
        doge_rpc::Client::connect(server.address()).unwrap(),
        cluster.unwrap().into(),
        doge_rpc::Client::local(crate::support::ProbeServer::new(handlers.clone())),
    ];
    for client in clients {
        let client = ProbeClient::new(client.layer(auth.clone())).with(patient());
        let status = client.echo(1).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(status.never_ran());
        let with_token = CallOptions::new().metadata("token", "letmein").unwrap();
        assert_eq!(client.with(with_token).echo(2).await, Ok(2));
        let hasty = CallOptions::new().metadata("token", "letmein").unwrap();
        let hasty = client.with(hasty.timeout(Duration::from_millis(20)));
        assert_eq!(
            hasty.hang().await.unwrap_err().code(),
            Code::DeadlineExceeded
        );
    }
}
