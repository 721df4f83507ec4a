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
